"""Claims from Microsoft Graph that the event never carries: attributes, group names, app roles.

===================================  ===============================================================================
``Claims__Graph__Attributes``        properties of the user, ``name`` or ``source:claim``, comma-separated:
                                     ``department``, ``onPremisesExtensionAttributes.extensionAttribute1:costCentre``,
                                     ``extension_<appId>_<name>:level``. Needs User.Read.All
``Claims__Graph__GroupsClaim``       the claim that takes the names of the groups that the user is in, directly or
                                     through other groups. Needs GroupMember.Read.All
``Claims__Graph__GroupsStartWith``   only groups whose name starts so: keeps the claims within 3 KB
``Claims__Graph__AppRolesClaim``     the claim that takes the values of the user's app roles in the application that the
                                     token is for, assigned directly or to a group that the user is directly in (there
                                     Entra's own rule ends too). Needs Directory.Read.All
``Claims__Graph__MaxNames``          default 100, 1 to 998: more groups or roles than this fail, because some of them
                                     would say less than the truth
``Claims__Graph__Url``               default ``https://graph.microsoft.com/v1.0``; a national cloud has its own
``Claims__Graph__Scope``             default ``/.default`` of the URL's host
===================================  ===============================================================================

At least one of attributes, groups and roles must be asked for; each is one request, and they run at once. An empty
list of names is no claim. A user whom Graph does not know has no claims, nor has an event without a user; one without
an application has no roles. Group names come from an index that follows a change after a while (``ConsistencyLevel:
eventual``); the definitions of an application's roles are kept for five minutes.

Source: microsoft-graph-docs ``user-get.md``, ``user-list-transitivememberof.md``, ``user-list-approleassignments.md``,
``serviceprincipal-get.md``.
"""

import asyncio
import re
from collections.abc import Awaitable, Coroutine, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from claims.contract import is_restricted
from claims.downstream.api import Downstream
from claims.downstream.credentials import create_token_cache
from claims.downstream.graph_directory import MAX_ANSWER_BYTES, GraphDirectory
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.claim_names import ClaimNames
from claims.settings.reader import ProviderSettings, is_local

ATTRIBUTES: Final = "Claims__Graph__Attributes"
GROUPS_CLAIM: Final = "Claims__Graph__GroupsClaim"
GROUPS_START_WITH: Final = "Claims__Graph__GroupsStartWith"
APP_ROLES_CLAIM: Final = "Claims__Graph__AppRolesClaim"
MAX_NAMES: Final = "Claims__Graph__MaxNames"
URL: Final = "Claims__Graph__Url"
SCOPE: Final = "Claims__Graph__Scope"

_PUBLIC_CLOUD: Final = "https://graph.microsoft.com"
_PROPERTY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class GraphProvider:
    """Asks Graph for what the settings name.

    Args:
        downstream: calls Graph.
        directory: reads it.
        attributes: the user's properties that become claims; None when none do.
        groups_claim: takes the group names; empty: they are not asked for.
        groups_start_with: which of them.
        app_roles_claim: takes the app roles; empty: they are not asked for.
    """

    def __init__(
        self,
        downstream: Downstream,
        directory: GraphDirectory,
        *,
        attributes: ClaimNames | None = None,
        groups_claim: str = "",
        groups_start_with: str = "",
        app_roles_claim: str = "",
    ) -> None:
        self._downstream = downstream
        self._directory = directory
        self._attributes = attributes
        self._groups_claim = groups_claim
        self._groups_start_with = groups_start_with
        self._app_roles_claim = app_roles_claim

    def start(self) -> None:
        """Get the first token before the first sign-in."""
        self._downstream.start()

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Give attributes, groups and roles, as far as they are asked for.

        Raises:
            ProviderFailed: one of the requests failed; the others are given up.
        """
        user = event.context.user
        if user is None:
            return {}
        loop = asyncio.get_running_loop()
        parts = [loop.create_task(part) for part in self._parts(user.id, event, context)]
        try:
            given = await asyncio.gather(*parts)
        finally:
            for part in parts:
                part.cancel()
        return {name: value for part in given for name, value in part.items() if value != []}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._directory.aclose()
        await self._downstream.aclose()

    def _parts(
        self, user_id: str, event: TokenIssuanceStart, context: ProviderContext
    ) -> Iterator[Coroutine[Any, Any, Mapping[str, object]]]:
        application = event.context.resource_service_principal
        if self._attributes:
            yield self._user(user_id, self._attributes, context)
        if self._groups_claim:
            groups = self._directory.groups(user_id, self._groups_start_with, context)
            yield _named(self._groups_claim, groups)
        if self._app_roles_claim and application is not None:
            yield _named(self._app_roles_claim, self._directory.app_roles(user_id, application.app_id, context))

    async def _user(self, user_id: str, names: ClaimNames, context: ProviderContext) -> Mapping[str, object]:
        return names.select(await self._directory.attributes(user_id, names.sources, context))


async def _named(claim: str, names: Awaitable[list[str]]) -> Mapping[str, object]:
    return {claim: await names}


def create(environ: Mapping[str, str]) -> GraphProvider:
    """Create the provider from its settings.

    Raises:
        SettingsError: naming those at fault.
    """
    settings = ProviderSettings(environ)
    url = settings.url(URL, f"{_PUBLIC_CLOUD}/v1.0")
    scope = settings.text(SCOPE, f"{_PUBLIC_CLOUD if is_local(url) else _host(url)}/.default")
    attributes = settings.claim_names(ATTRIBUTES)
    groups, roles = (settings.text(name) for name in (GROUPS_CLAIM, APP_ROLES_CLAIM))
    _check_claims(settings, attributes, groups, roles)
    max_names = settings.number(MAX_NAMES, 100, low=1, high=998)
    settings.require_good()
    downstream = Downstream(create_token_cache(scope, environ), max_answer_bytes=MAX_ANSWER_BYTES)
    return GraphProvider(
        downstream,
        GraphDirectory(downstream, url, max_names=max_names),
        attributes=attributes if attributes.pairs else None,
        groups_claim=groups,
        groups_start_with=settings.text(GROUPS_START_WITH),
        app_roles_claim=roles,
    )


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _check_claims(settings: ProviderSettings, attributes: ClaimNames, groups: str, roles: str) -> None:
    for source in attributes.sources:
        if not _PROPERTY.fullmatch(source):
            settings.problem(ATTRIBUTES, f"must name properties of Graph's user, got '{source}'")
    taken = [claim for _, claim in attributes.pairs]
    for name, claim in ((GROUPS_CLAIM, groups), (APP_ROLES_CLAIM, roles)):
        if claim and is_restricted(claim):
            settings.problem(name, f"names the claim '{claim}', which a token may not carry")
        if claim and claim in taken:
            settings.problem(name, f"names the claim '{claim}', which another setting names too")
        taken.append(claim)
    if not any(taken):
        settings.problem(ATTRIBUTES, f"is empty, and so are {GROUPS_CLAIM} and {APP_ROLES_CLAIM}: nothing to ask for")

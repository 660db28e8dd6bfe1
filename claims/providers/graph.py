"""Claims from Microsoft Graph that the event never carries: attributes, group names, app roles.

At least one of attributes, groups and roles must be configured. Each is one request, and they run at once; roles need a
second request if the application's definitions are not cached. An empty list of names is not sent as a claim. A user
whom Graph does not know has no claims, nor has an event without a user; an event without an application has no roles.
Groups count when the user is in them directly or through other groups, app roles when they are assigned to the user or
to a group that the user is directly in: Entra's own rule ends there too. If there are more names than the maximum, the
call fails: a shortened list would be wrong. Group names come from an index that follows a change after a while
(``ConsistencyLevel: eventual``); the definitions of an application's roles are kept for five minutes.

Source: microsoft-graph-docs ``user-get.md``, ``user-list-transitivememberof.md``, ``user-list-approleassignments.md``,
``serviceprincipal-get.md``.
"""

import asyncio
import re
from collections.abc import Awaitable, Coroutine, Iterator, Mapping
from typing import Any, Final

from claims.downstream.api import Downstream
from claims.downstream.credentials import create_token_cache
from claims.downstream.graph_directory import MAX_ANSWER_BYTES, GraphDirectory
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.claim_names import ClaimNames
from claims.settings.reader import SettingsReader
from claims.wire.urls import Url, is_plain_http

ATTRIBUTES: Final = "Claims__Graph__Attributes"
GROUPS_CLAIM: Final = "Claims__Graph__GroupsClaim"
GROUPS_START_WITH: Final = "Claims__Graph__GroupsStartWith"
APP_ROLES_CLAIM: Final = "Claims__Graph__AppRolesClaim"
MAX_NAMES: Final = "Claims__Graph__MaxNames"
URL: Final = "Claims__Graph__Url"
SCOPE: Final = "Claims__Graph__Scope"
#: What they mean: docs/settings.md.
SETTINGS: Final = (ATTRIBUTES, GROUPS_CLAIM, GROUPS_START_WITH, APP_ROLES_CLAIM, MAX_NAMES, URL, SCOPE)

_PUBLIC_CLOUD: Final = "https://graph.microsoft.com"
_PROPERTY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class GraphProvider:
    """Asks Graph for what the settings name; where a setting is empty, nothing is asked for."""

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
        names = attributes.claims if attributes else frozenset[str]()
        self.claim_names = (names | {groups_claim, app_roles_claim}) - {""}

    def start(self) -> None:
        """Get the first token before the first sign-in."""
        self._downstream.start()

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Return attributes, groups and roles, as far as they are configured.

        Raises:
            ProviderFailed: One of the requests failed; the others are given up.
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
        SettingsError: Naming the settings at fault.
    """
    settings = SettingsReader(environ, SETTINGS)
    url = settings.url(URL, f"{_PUBLIC_CLOUD}/v1.0")
    cloud = _PUBLIC_CLOUD if not url or is_plain_http(url) else Url.parse(url).origin
    scope = settings.text(SCOPE, f"{cloud}/.default")
    attributes = settings.claim_names(ATTRIBUTES)
    groups, roles = settings.text(GROUPS_CLAIM), settings.text(APP_ROLES_CLAIM)
    _check_claims(settings, attributes, groups, roles)
    max_names = settings.integer(MAX_NAMES, 100, 1, 998)
    starts_with = settings.text(GROUPS_START_WITH)
    settings.require_good()
    downstream = Downstream(create_token_cache(scope, environ), max_answer_bytes=MAX_ANSWER_BYTES)
    return GraphProvider(
        downstream,
        GraphDirectory(downstream, url, max_names=max_names),
        attributes=attributes if attributes.pairs else None,
        groups_claim=groups,
        groups_start_with=starts_with,
        app_roles_claim=roles,
    )


def _check_claims(settings: SettingsReader, attributes: ClaimNames, groups: str, roles: str) -> None:
    for source in attributes.sources:  # of a path its first part: Graph is asked for whole properties
        if not _PROPERTY.fullmatch(source):
            settings.problem(ATTRIBUTES, f"must name properties of Graph's user, got '{source}'")
    taken = set(attributes.claims)
    for name, claim in ((GROUPS_CLAIM, groups), (APP_ROLES_CLAIM, roles)):
        if claim and claim in taken:
            settings.problem(name, f"names the claim '{claim}', which another setting names too")
        taken.add(claim)
    if not any(taken):
        settings.problem(ATTRIBUTES, f"is empty, and so are {GROUPS_CLAIM} and {APP_ROLES_CLAIM}: nothing to ask for")

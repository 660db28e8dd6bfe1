"""The tenant's objects through Microsoft Graph: what a statement looks at, and no more.

Only reading, and the validation, which changes nothing. Service principals and applications are asked for one by one,
because a tenant may have thousands. What is refused is noted with the permission that would help, and the rest is read.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.doctor.case import Need
from selftest.tenant.doctor.evidence.members import Members, ShapeError
from selftest.tenant.doctor.evidence.resource import app_id_in
from selftest.tenant.doctor.evidence.tenant import ListName
from selftest.tenant.doctor.evidence.validation import Validation
from selftest.tenant.doctor.evidence.wiring_objects import EXTENSION_KIND, LISTENER_KIND
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.errors import GraphError, NotSignedIn, PermissionMissing, Unreachable
from selftest.tenant.graph.objects import GRAPH_APP_ID, GraphObject

#: What the doctor reads; for a person who signs in and is asked for consent.
PERMISSIONS: Final = (
    "Application.Read.All",
    "CustomAuthenticationExtension.Read.All",
    "EventListener.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
)
#: Graph shows which policies are assigned only to who may change applications as well; without it that is skipped.
ASSIGNED_POLICIES: Final = "Application.ReadWrite.OwnedBy"
_EXTENSIONS: Final = "/identity/customAuthenticationExtensions"
_LISTENERS: Final = "/identity/authenticationEventListeners"
_GUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_APPLICATION: Final = ("appId", "displayName", "signInAudience", "identifierUris", "api", "requiredResourceAccess")
_PRINCIPAL: Final = (
    "id",
    "appId",
    "displayName",
    "accountEnabled",
    "appOwnerOrganizationId",
    "appRoleAssignmentRequired",
    "servicePrincipalNames",
    "preferredSingleSignOnMode",
    "keyCredentials",
)
#: An object that was just made is not seen for some seconds: what is missing is asked for again.
_ATTEMPTS: Final = 3
_BETWEEN_S: Final = 2.0
_AT_ONCE: Final = 4


class NothingReadError(Exception):
    """Raised when Graph gave nothing at all; the message says what it said, and what to do."""


@dataclass(slots=True)
class LiveRead:
    """What was read.

    Attributes:
        document: in the form of ``doctor --file``.
        unread: why a list is not in it.
        validations: Graph's own validation, by extension id.
        lacks: why something else could not be had.
    """

    document: dict[str, Any] = field(default_factory=dict)
    unread: dict[ListName, str] = field(default_factory=dict)
    validations: dict[str, Validation] | None = None
    lacks: dict[Need, str] = field(default_factory=dict)


async def read_live(
    client: GraphClient, *, app_ids: Iterable[str], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> LiveRead:
    """Read a tenant.

    Args:
        client: signed in.
        app_ids: applications to look up beside those that the tenant's objects name.
        sleep: waits for seconds.

    Raises:
        NotSignedIn: there is no token.
        Unreachable: nobody answers.
        NothingReadError: none of the lists could be read.
    """
    return await _Reading(client, sleep).read(app_ids)


class _Reading:
    """One reading of a tenant."""

    def __init__(self, client: GraphClient, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._client = client
        self._sleep = sleep
        self._found = LiveRead()
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def read(self, app_ids: Iterable[str]) -> LiveRead:
        await self._organization()
        extensions = await self._list("customAuthenticationExtensions", _EXTENSIONS)
        listeners = await self._list("authenticationEventListeners", _LISTENERS)
        await self._list("claimsMappingPolicies", "/policies/claimsMappingPolicies")
        api = {app_id_in(resource) or "" for resource in map(_resource_id, extensions)}
        targets = {app_id for listener in listeners for app_id in _included(listener)} | set(app_ids)
        wanted = _guids(api | targets | {EVENT_SERVICE_APP_ID, GRAPH_APP_ID})
        await self._applications(_guids(api | targets))
        await self._principals(wanted, consented=api, mapped=targets)
        self._require_something()
        await self._validate(extensions)
        return self._found

    async def _organization(self) -> None:
        try:
            select = ("id", "tenantType", "verifiedDomains")
            self._found.document["organization"] = await self._client.list_all("/organization", select=select)
        except (NotSignedIn, Unreachable):
            # The first request: where nobody answers it, the others need not be tried.
            raise
        except GraphError as error:
            self._found.lacks["tenant-kind"] = _reason(error)
            held = await self._client.permissions()
            # Which tenant it is the token says as well; what kind of tenant it does not.
            self._found.document["organization"] = [{"id": held.tenant_id}] if held.tenant_id else []

    async def _list(self, name: ListName, path: str) -> list[GraphObject]:
        try:
            found = await self._client.list_all(path)
        except NotSignedIn:
            raise
        except GraphError as error:
            self._found.unread[name] = _reason(error)
            return []
        self._found.document[name] = found
        return found

    async def _applications(self, app_ids: Sequence[str]) -> None:
        async def read(app_id: str) -> GraphObject | None:
            return await self._find(f"/applications(appId='{app_id}')", _APPLICATION)

        await self._each("applications", app_ids, read)

    async def _principals(self, app_ids: Sequence[str], *, consented: set[str], mapped: set[str]) -> None:
        async def read(app_id: str) -> GraphObject | None:
            found = await self._find(f"/servicePrincipals(appId='{app_id}')", _PRINCIPAL)
            if found is None:
                return None
            path = f"/servicePrincipals/{found['id']}"
            if app_id in consented:
                found["appRoleAssignments"] = await self._client.list_all(f"{path}/appRoleAssignments")
            if app_id in mapped:
                found["claimsMappingPolicies"] = await self._optional(f"{path}/claimsMappingPolicies")
                found["claimsPolicy"] = await self._portal(f"{path}/claimsPolicy")
            return found

        await self._each("servicePrincipals", app_ids, read)

    async def _each(
        self, name: ListName, app_ids: Sequence[str], read: Callable[[str], Awaitable[GraphObject | None]]
    ) -> None:
        """Look objects up side by side; the first refusal stands for the list."""

        async def one(app_id: str) -> GraphObject | None:
            async with self._turn:
                return await read(app_id)

        found = await asyncio.gather(*map(one, app_ids), return_exceptions=True)
        for result in found:
            if isinstance(result, GraphError) and not isinstance(result, NotSignedIn):
                self._found.unread.setdefault(name, _reason(result))
            elif isinstance(result, BaseException):
                raise result
        if name not in self._found.unread:
            self._found.document[name] = [one for one in found if isinstance(one, dict)]

    async def _find(self, path: str, select: Sequence[str]) -> GraphObject | None:
        """Look an object up, again where it is not there: it may have been made a moment ago."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._sleep(_BETWEEN_S)
            found = await self._client.find(path, select=select)
            if found is not None:
                return found
        return None

    async def _optional(self, path: str) -> list[GraphObject] | None:
        try:
            return await self._client.list_all(path)
        except PermissionMissing as error:
            self._found.unread.setdefault("claimsMappingPolicies", _reason(error))
            return None

    async def _portal(self, path: str) -> GraphObject | None:
        """Read what the portal's Attributes & Claims holds; only beta shows it, so it is welcome and not needed."""
        try:
            return await self._client.find(path, version="beta")
        except NotSignedIn:
            raise
        except GraphError:
            return None

    def _require_something(self) -> None:
        core: tuple[ListName, ...] = (
            "customAuthenticationExtensions",
            "authenticationEventListeners",
            "servicePrincipals",
        )
        if all(name in self._found.unread for name in core):
            reasons = "; ".join(dict.fromkeys(self._found.unread.values()))
            raise NothingReadError(f"nothing of the tenant could be read: {reasons}")

    async def _validate(self, extensions: Sequence[GraphObject]) -> None:
        """Ask Graph for its own opinion of each extension of our event."""
        validations: dict[str, Validation] = {}
        for extension in extensions:
            extension_id = str(extension.get("id", "")).lower()
            if extension.get("@odata.type") != EXTENSION_KIND or not _GUID.fullmatch(extension_id):
                continue
            try:
                answer = await self._client.act(f"{_EXTENSIONS}/{extension_id}/validateAuthenticationConfiguration")
                validations[extension_id] = Validation.read(Members.of(answer, "the validation"))
            except NotSignedIn:
                raise
            except (GraphError, ShapeError) as error:
                self._found.lacks["validation"] = _reason(error)
                return
        self._found.validations = validations


def _reason(error: GraphError | ShapeError) -> str:
    if isinstance(error, PermissionMissing):
        return f"no permission. {error.advice}"
    return str(error)


def _guids(texts: Iterable[str]) -> list[str]:
    """Keep what may be put into a path."""
    return sorted({text for each in texts if _GUID.fullmatch(text := each.lower())})


def _resource_id(extension: Mapping[str, Any]) -> str:
    configuration = extension.get("authenticationConfiguration")
    value = configuration.get("resourceId") if isinstance(configuration, dict) else None
    return value if isinstance(value, str) else ""


def _included(listener: Mapping[str, Any]) -> list[str]:
    """Name the applications of a listener of our event; one of another shape is told when it is looked at."""
    if listener.get("@odata.type") != LISTENER_KIND:
        return []
    try:
        applications = Members.of(listener, "listener").part("conditions").part("applications")
        return [app.guid("appId") for app in applications.parts("includeApplications") or ()]
    except ShapeError:
        return []

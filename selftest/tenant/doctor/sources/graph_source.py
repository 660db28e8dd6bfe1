"""The tenant's objects through Microsoft Graph: the members that a statement examines, and no others.

Only reads, and the validation, which changes nothing. Service principals and applications are requested one by one,
because a tenant may have thousands. A refused request is noted with the permission that is missing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from selftest.base.cannot_run import CannotRun
from selftest.contract import EVENT_SERVICE_APP_ID, is_guid
from selftest.tenant.doctor.case import EvidenceName
from selftest.tenant.doctor.evidence.app_objects import ApplicationObject, PrincipalObject
from selftest.tenant.doctor.evidence.graph_model import GraphModel, ShapeError, members, read_model
from selftest.tenant.doctor.evidence.portal_claims import PortalClaims
from selftest.tenant.doctor.evidence.tenant_objects import ListName
from selftest.tenant.doctor.evidence.validation import Validation
from selftest.tenant.doctor.evidence.wiring_objects import ExtensionObject, ListenerObject
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.errors import GraphError, NotSignedIn, PermissionMissing, Unreachable
from selftest.tenant.graph.objects import (
    EXTENSION_TYPE,
    EXTENSIONS,
    GRAPH_APP_ID,
    LISTENER_TYPE,
    LISTENERS,
    POLICIES,
    GraphObject,
)

#: The permissions that a person who signs in is asked to consent to.
PERMISSIONS: Final = (
    "Application.Read.All",
    "CustomAuthenticationExtension.Read.All",
    "EventListener.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
)
#: Graph shows assigned policies only to a caller that may change applications; without it that part is skipped.
ASSIGNED_POLICIES: Final = "Application.ReadWrite.OwnedBy"
#: Members that Graph gives at a path of their own, and that `$select` does not take.
_RELATED: Final = frozenset({"@odata.type", "appRoleAssignments", "claimsMappingPolicies", "claimsPolicy"})
#: A new object is not visible for some seconds, so a missing one is requested again.
_ATTEMPTS: Final = 3
_BETWEEN_S: Final = 2.0
_AT_ONCE: Final = 4


@dataclass(slots=True)
class LiveRead:
    """What was read.

    Attributes:
        document: The objects, in the form of ``doctor --file``.
        unread: Why a list is missing.
        validations: Graph's own validation, by extension id.
        lacks: Why other evidence could not be read.
    """

    document: dict[str, Any] = field(default_factory=dict)
    unread: dict[ListName, str] = field(default_factory=dict)
    validations: dict[str, Validation] | None = None
    lacks: dict[EvidenceName, str] = field(default_factory=dict)


async def read_live(
    client: GraphClient, *, app_ids: Iterable[str], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> LiveRead:
    """Read a tenant, with these applications in addition to those that its objects name.

    Raises:
        NotSignedIn: There is no token.
        Unreachable: Graph does not answer.
        CannotRun: None of the lists could be read.
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
        extensions = await self._list("customAuthenticationExtensions", EXTENSIONS)
        listeners = await self._list("authenticationEventListeners", LISTENERS)
        await self._list("claimsMappingPolicies", POLICIES)
        api = {extension.api_app_id or "" for extension in _readable(ExtensionObject, extensions)}
        ours = (one for one in _readable(ListenerObject, listeners) if one.odata_type == LISTENER_TYPE)
        targets = {app_id for listener in ours for app_id in listener.app_ids} | set(app_ids)
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
            # The first request: where it is not answered, the others need not be tried.
            raise
        except GraphError as error:
            self._found.lacks["tenant-kind"] = _reason(error)
            held = await self._client.permissions()
            # The token names the tenant as well, but not its kind.
            self._found.document["organization"] = [{"id": held.tenant_id}] if is_guid(held.tenant_id or "") else []

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
            return await self._find(f"/applications(appId='{app_id}')", _selected(ApplicationObject))

        await self._each("applications", app_ids, read)

    async def _principals(self, app_ids: Sequence[str], *, consented: set[str], mapped: set[str]) -> None:
        async def read(app_id: str) -> GraphObject | None:
            found = await self._find(f"/servicePrincipals(appId='{app_id}')", _selected(PrincipalObject))
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
        """Look objects up concurrently; the first refusal is the reason for the whole list."""

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
        """Look an object up, and again where it is missing: it may be new."""
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
        """Read the portal's Attributes & Claims; only beta shows them, and may change, so the result is optional."""
        try:
            found = await self._client.find(path, version="beta") or {"claims": []}
            read_model(PortalClaims, found, "claimsPolicy")
        except NotSignedIn:
            raise
        except (GraphError, ShapeError):
            return None
        return found

    def _require_something(self) -> None:
        core: tuple[ListName, ...] = (
            "customAuthenticationExtensions",
            "authenticationEventListeners",
            "servicePrincipals",
        )
        if all(name in self._found.unread for name in core):
            reasons = "; ".join(dict.fromkeys(self._found.unread.values()))
            raise CannotRun(f"nothing of the tenant could be read: {reasons}")

    async def _validate(self, extensions: Sequence[GraphObject]) -> None:
        """Request Graph's own validation of each extension of our event."""
        validations: dict[str, Validation] = {}
        for extension in extensions:
            extension_id = str(extension.get("id", "")).lower()
            if extension.get("@odata.type") != EXTENSION_TYPE or not is_guid(extension_id):
                continue
            try:
                answer = await self._client.act(f"{EXTENSIONS}/{extension_id}/validateAuthenticationConfiguration")
                validations[extension_id] = read_model(Validation, answer, "the validation")
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
    """Return the GUIDs among texts, which alone are safe in a path."""
    return sorted({text for each in texts if is_guid(text := each.lower())})


def _selected(model: type[GraphModel]) -> list[str]:
    """Name the members of a model for ``$select``."""
    return [name for name, _ in members(model) if name not in _RELATED]


def _readable[Model: GraphModel](model: type[Model], objects: Iterable[GraphObject]) -> Iterator[Model]:
    """Yield the objects that can be read; the others are reported when the tenant is read."""
    for one in objects:
        with contextlib.suppress(ShapeError):
            yield read_model(model, one, model.__name__)

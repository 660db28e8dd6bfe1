"""A user's data in Microsoft Graph: attributes, groups, app roles.

Graph returns lists in pages: a next page is fetched only from the host that the token is for, and a list with more
names than the limit fails instead of being truncated.

Source: microsoft-graph-docs ``paging.md``, ``aad-advanced-queries.md``, ``user-list-transitivememberof.md``,
``user-list-approleassignments.md``.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from claims.contract import is_guid
from claims.downstream.api import Downstream
from claims.errors import ProviderFailed
from claims.expiring import ExpiringCache
from claims.provider import ProviderContext
from claims.wire.urls import same_origin

#: An application with a thousand described roles is about 400 kB.
MAX_ANSWER_BYTES: Final = 1024 * 1024
#: How long an application's role definitions are kept.
ROLES_S: Final = 300.0

_MAX_PAGES: Final = 20
#: For the role definitions of all applications together: tens of thousands of roles, at about 200 bytes each.
_MAX_ROLES_BYTES: Final = 8 * 1024 * 1024
_NO_ROLE: Final = "00000000-0000-0000-0000-000000000000"
#: Required with ``$filter`` and casts on memberships.
_EVENTUAL: Final = [("consistencylevel", "eventual")]


class GraphDirectory:
    """Reads one directory.

    Args:
        downstream: Calls Graph; its limit for a body is `MAX_ANSWER_BYTES`.
        url: With the version, without a trailing slash.
        max_names: Of groups and of roles; more fail.
        clock: Monotonic seconds.
    """

    def __init__(
        self, downstream: Downstream, url: str, *, max_names: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._downstream = downstream
        self._url = url
        self._max_names = max_names
        self._applications: ExpiringCache[str, _Application] = ExpiringCache(
            _MAX_ROLES_BYTES, size_bytes=_Application.size_bytes, clock=clock
        )
        self._reading: dict[str, asyncio.Task[_Application]] = {}

    async def attributes(
        self, user_id: str, properties: tuple[str, ...], context: ProviderContext
    ) -> Mapping[str, object]:
        """Return properties of a user; empty if Graph does not know the user."""
        user = await self._downstream.get_object(self._to(f"/users/{user_id}", select=",".join(properties)), context)
        return user or {}

    async def groups(self, user_id: str, starts_with: str, context: ProviderContext) -> list[str]:
        """Return the sorted names of the groups that a user is in, directly or not."""
        quoted = starts_with.replace("'", "''")
        url = self._to(
            f"/users/{user_id}/transitiveMemberOf/microsoft.graph.group",
            select="displayName",
            filter=f"startswith(displayName,'{quoted}')" if quoted else "",
            count="true",
            top=str(self._max_names + 1),
        )
        # Without the permission for groups Graph omits the names; an incomplete list must fail.
        return sorted({_text(group, "displayName") for group in await self._list(url, context, _EVENTUAL)})

    async def app_roles(self, user_id: str, app_id: str, context: ProviderContext) -> list[str]:
        """Return the sorted values of the app roles that a user has in an application."""
        application = await self._application(app_id, context)
        url = self._to(
            f"/users/{user_id}/appRoleAssignments",
            filter=f"resourceId eq {application.object_id}",
            top=str(self._max_names + 1),
        )
        assigned = {_text(assignment, "appRoleId") for assignment in await self._list(url, context)}
        return sorted({value for role_id, value in application.roles if role_id in assigned})

    async def aclose(self) -> None:
        """Stop what is being read for several requests."""
        reading = list(self._reading.values())
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def _application(self, app_id: str, context: ProviderContext) -> "_Application":
        """Return an application's roles; requests that come while they are being read wait for the same answer."""
        known = self._applications.get(app_id)
        context.cache_hit("graph_app_roles", known is not None)
        if known is not None:
            return known
        reading = self._reading.get(app_id)
        if reading is None:
            reading = asyncio.get_running_loop().create_task(self._read_application(app_id, context))
            self._reading[app_id] = reading
            reading.add_done_callback(lambda _: self._reading.pop(app_id))
        return await asyncio.shield(reading)

    async def _read_application(self, app_id: str, context: ProviderContext) -> "_Application":
        url = self._to(f"/servicePrincipals(appId='{app_id}')", select="id,appRoles")
        principal = await self._downstream.get_object(url, context)
        if principal is None:
            raise ProviderFailed("downstream_status", "expected the application's service principal, got 404")
        application = _Application.parse(principal)
        self._applications.put(app_id, application, ROLES_S)
        return application

    async def _list(
        self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]] = ()
    ) -> list[Mapping[str, object]]:
        """Return a collection, read page by page; empty if Graph does not know the user."""
        items: list[Mapping[str, object]] = []
        for _ in range(_MAX_PAGES):
            page = await self._downstream.get_object(url, context, headers)
            if page is None:
                return []
            items += _values(page)
            if len(items) > self._max_names:
                raise ProviderFailed("downstream_too_many", f"at most {self._max_names}, got {len(items)} or more")
            if "@odata.nextLink" not in page:
                return items
            url = self._next(page["@odata.nextLink"])
        raise ProviderFailed("downstream_too_many", f"at most {_MAX_PAGES} pages")

    def _next(self, link: object) -> str:
        if not isinstance(link, str) or not link.isascii() or not link.isprintable() or " " in link:
            raise ProviderFailed("downstream_shape", "expected @odata.nextLink to be a URL in plain ASCII")
        if not same_origin(self._url, link):
            raise ProviderFailed("downstream_next_link", "expected the next page on the same host")
        return link

    def _to(self, path: str, **options: str) -> str:
        query = "&".join(f"${name}={quote(value, safe=',()')}" for name, value in options.items() if value)
        return f"{self._url}{path}?{query}"


@dataclass(frozen=True, slots=True)
class _Application:
    """An application's object id, and the id and value of each role that can be assigned."""

    object_id: str
    roles: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, principal: Mapping[str, object]) -> "_Application":
        """Return what a service principal says of its application."""
        object_id = _text(principal, "id")
        if not is_guid(object_id):
            raise ProviderFailed("downstream_shape", "expected the service principal's id to be a GUID")
        roles = [role for role in _values(principal, "appRoles") if role.get("isEnabled") and role.get("value")]
        values = {_text(role, "id"): _text(role, "value") for role in roles if role.get("id") != _NO_ROLE}
        return cls(object_id, tuple(values.items()))

    def size_bytes(self) -> int:
        """Return about how much memory this takes, which is never nothing."""
        return sys.getsizeof(self.roles) + sum(sys.getsizeof(part) for role in self.roles for part in (role, *role))


def _values(page: Mapping[str, Any], name: str = "value") -> list[Mapping[str, object]]:
    items = page.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ProviderFailed("downstream_shape", f"expected {name} to be a list of objects")
    return items


def _text(item: Mapping[str, object], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise ProviderFailed("downstream_shape", f"expected {name} to be a string, got a {type(value).__name__}")
    return value

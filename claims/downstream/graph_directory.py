"""What Microsoft Graph says about a user: attributes, groups, app roles.

It faces lists that go on page after page: a next page is fetched only from the host that the token is for, and more
names than the cap fail rather than being cut off.

Source: microsoft-graph-docs ``paging.md``, ``aad-advanced-queries.md``, ``user-list-transitivememberof.md``,
``user-list-approleassignments.md``.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from cachetools import TTLCache

from claims.contract import is_guid
from claims.downstream.api import Downstream
from claims.errors import ProviderFailed
from claims.provider import ProviderContext
from claims.wire.urls import same_origin

#: An application with a thousand described roles is about 400 kB.
MAX_ANSWER_BYTES: Final = 1024 * 1024
#: How long an application's role definitions are believed.
ROLES_S: Final = 300.0

_MAX_PAGES: Final = 20
_MAX_APPLICATIONS: Final = 256
_NO_ROLE: Final = "00000000-0000-0000-0000-000000000000"
#: Required with ``$filter`` and casts on memberships.
_EVENTUAL: Final = [("consistencylevel", "eventual")]


class GraphDirectory:
    """Reads one directory.

    Args:
        downstream: calls Graph; its cap is `MAX_ANSWER_BYTES`.
        url: with the version, without a slash at the end.
        max_names: of groups and of roles; more fail.
        clock: monotonic seconds.
    """

    def __init__(
        self, downstream: Downstream, url: str, *, max_names: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._downstream = downstream
        self._url = url
        self._max_names = max_names
        self._applications: TTLCache[str, asyncio.Task[_Application]] = TTLCache(_MAX_APPLICATIONS, ROLES_S, clock)

    async def attributes(
        self, user_id: str, properties: tuple[str, ...], context: ProviderContext
    ) -> Mapping[str, object]:
        """Read properties of a user; empty when Graph does not know the user."""
        user = await self._downstream.get_object(self._to(f"/users/{user_id}", select=",".join(properties)), context)
        return user or {}

    async def groups(self, user_id: str, starts_with: str, context: ProviderContext) -> list[str]:
        """Read the names of the groups that a user is in, directly or not, sorted.

        Args:
            user_id: a GUID.
            starts_with: only names that start so, in any case; empty: all.
            context: of the request.
        """
        quoted = starts_with.replace("'", "''")
        url = self._to(
            f"/users/{user_id}/transitiveMemberOf/microsoft.graph.group",
            select="displayName",
            filter=f"startswith(displayName,'{quoted}')" if quoted else "",
            count="true",
            top=str(self._max_names + 1),
        )
        # Without the permission for groups Graph leaves the names out, and a list with gaps would be no list.
        return sorted({_text(group, "displayName") for group in await self._list(url, context, _EVENTUAL)})

    async def app_roles(self, user_id: str, app_id: str, context: ProviderContext) -> list[str]:
        """Read the values of the app roles that a user has in an application, sorted.

        Args:
            user_id: a GUID.
            app_id: the application's client id.
            context: of the request.
        """
        application = await self._application(app_id, context)
        url = self._to(
            f"/users/{user_id}/appRoleAssignments",
            filter=f"resourceId eq {application.object_id}",
            top=str(self._max_names + 1),
        )
        assigned = {_text(assignment, "appRoleId") for assignment in await self._list(url, context)}
        return sorted({value for role_id, value in application.roles.items() if role_id in assigned})

    async def aclose(self) -> None:
        """Stop what is being read for several requests."""
        reading = [task for task in self._applications.values() if not task.done()]
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def _application(self, app_id: str, context: ProviderContext) -> "_Application":
        """Give an application's roles; requests that come while they are being read wait for the same answer."""
        reading = self._applications.get(app_id)
        context.cache_hit("graph_app_roles", reading is not None and reading.done())
        if reading is None:
            reading = asyncio.get_running_loop().create_task(self._read_application(app_id, context))
            self._applications[app_id] = reading
            reading.add_done_callback(lambda task: self._forget_failure(app_id, task))
        return await asyncio.shield(reading)

    async def _read_application(self, app_id: str, context: ProviderContext) -> "_Application":
        url = self._to(f"/servicePrincipals(appId='{app_id}')", select="id,appRoles")
        principal = await self._downstream.get_object(url, context)
        if principal is None:
            raise ProviderFailed("downstream_status", "expected the application's service principal, got 404")
        return _Application(principal)

    def _forget_failure(self, app_id: str, task: "asyncio.Task[_Application]") -> None:
        if task.cancelled() or task.exception() is not None:
            self._applications.pop(app_id, None)

    async def _list(
        self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]] = ()
    ) -> list[Mapping[str, object]]:
        """Read a collection page by page; empty when what it belongs to is not known."""
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


class _Application:
    """An application's object id, and the value of each role that can be had, by the role's id."""

    def __init__(self, principal: Mapping[str, object]) -> None:
        object_id = _text(principal, "id")
        if not is_guid(object_id):
            raise ProviderFailed("downstream_shape", "expected the service principal's id to be a GUID")
        self.object_id = object_id
        roles = [role for role in _values(principal, "appRoles") if role.get("isEnabled") and role.get("value")]
        self.roles = {_text(role, "id"): _text(role, "value") for role in roles if role.get("id") != _NO_ROLE}


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

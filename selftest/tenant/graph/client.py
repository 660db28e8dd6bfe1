"""Microsoft Graph as our programs use it: read one, list, make, change, delete, assign.

It asks one address only, follows no redirect and no link to another host, and gives every failure as one of
`selftest.tenant.graph.errors`, with the permission that would have helped. What the objects mean is the caller's
affair.

Source: microsoft-graph-docs ``concepts/paging.md``, ``concepts/query-parameters.md``, ``application-upsert.md``.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
from yarl import URL

from selftest.tenant.graph.answer import Received
from selftest.tenant.graph.errors import AnswerUnusable, ObjectNotFound, PermissionMissing, RequestRefused
from selftest.tenant.graph.exchange import Call, Exchange, Patience, TokenCredential
from selftest.tenant.graph.surface import Permissions, permissions_for
from selftest.tenant.graph.token_permissions import TokenPermissions, in_words, token_permissions
from selftest.tenant.graph.types import Version

type GraphObject = dict[str, Any]

PUBLIC_CLOUD: Final = "https://graph.microsoft.com"
#: A tenant has at most 100 extensions and 250 listeners; sign-ins come a thousand a page.
MAX_PAGES: Final = 100

_NEXT: Final = "@odata.nextLink"
_ROLES: Final = "Authentication Extensibility Administrator or Application Administrator"


class GraphClient:
    """Asks one Graph.

    Args:
        session: as `selftest.tenant.graph.exchange.graph_session` makes it.
        credential: where tokens come from.
        base_url: scheme and host of Graph; https, or a loopback address.
        scopes: what tokens are asked for; None: all that was consented to.
        patience: how long to try.
        options: clocks, sleep and chance for `Exchange`.

    Raises:
        ValueError: the address is plain http to another machine.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credential: TokenCredential,
        *,
        base_url: str = PUBLIC_CLOUD,
        scopes: Sequence[str] | None = None,
        patience: Patience | None = None,
        **options: Any,
    ) -> None:
        self._base = _checked(base_url)
        wanted = scopes or (f"{self._base.origin()}/.default",)
        self._exchange = Exchange(session, credential, wanted, patience or Patience(), **options)

    async def permissions(self) -> TokenPermissions:
        """Give what the token says that it allows, to tell beforehand what will be refused.

        Raises:
            NotSignedIn: there is no token.
        """
        return token_permissions(await self._exchange.token())

    async def get(
        self,
        path: str,
        *,
        select: Sequence[str] = (),
        expand: Sequence[str] = (),
        version: Version = "v1.0",
        replicating: bool = False,
    ) -> GraphObject:
        """Read one object.

        Args:
            path: below the version, with a slash at the start.
            select: the members that are wanted; none: those that Graph gives by itself.
            expand: the relations to read along.
            version: of Graph.
            replicating: whether it may have been made a moment ago, so that "not found" is worth waiting.

        Raises:
            ObjectNotFound: it is not there.
            GraphError: as its leaves say.
        """
        query = _query(select, expand)
        received = await self._send("GET", path, version, query=query, replicating=replicating, repeatable=True)
        return _body(received, f"GET {path}")

    async def find(
        self, path: str, *, select: Sequence[str] = (), expand: Sequence[str] = (), version: Version = "v1.0"
    ) -> GraphObject | None:
        """Read one object, or give None where there is none."""
        try:
            return await self.get(path, select=select, expand=expand, version=version)
        except ObjectNotFound:
            return None

    async def list_all(
        self,
        path: str,
        *,
        select: Sequence[str] = (),
        expand: Sequence[str] = (),
        version: Version = "v1.0",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_pages: int = MAX_PAGES,
        replicating: bool = False,
    ) -> list[GraphObject]:
        """Read all objects of a list, page after page.

        Args:
            path: below the version, with a slash at the start.
            select: as in `get`.
            expand: as in `get`.
            version: of Graph.
            query: further options, as ``{"$filter": …, "$top": …}``.
            headers: further headers, as ``ConsistencyLevel``.
            max_pages: more is an error: no list of ours is so long.
            replicating: as in `get`.

        Raises:
            AnswerUnusable: too many pages, a link to elsewhere, or no list.
            GraphError: as its leaves say.
        """
        what, deadline = f"GET {path}", self._exchange.deadline()
        url: URL | None = self._url(path, version).with_query({**_query(select, expand), **(query or {})})
        items: list[GraphObject] = []
        seen: set[URL] = set()
        while url is not None:
            if url in seen or len(seen) >= max_pages:
                reason = f"{what}: the list has more than {max_pages} pages, or goes in circles"
                raise AnswerUnusable(reason, "Ask for less with a filter, or for longer pages with $top")
            seen.add(url)
            call = Call(method="GET", url=url, what=what, headers=headers or {}, replicating=replicating)
            body = _body(await self._explained(call, path, version, deadline), what)
            items += _items(body, what)
            url = self._next(body, what)
        return items

    async def create(self, path: str, body: Mapping[str, Any], *, replicating: bool = False) -> GraphObject:
        """Make an object, and give it as Graph made it.

        Raises:
            OutcomeUnknown: it may have been made.
            GraphError: as its leaves say.
        """
        received = await self._send("POST", path, "v1.0", body=body, replicating=replicating, repeatable=False)
        return _body(received, f"POST {path}")

    async def act(self, path: str, body: Mapping[str, Any] | None = None) -> GraphObject:
        """Call an action that changes nothing, as validating does, and give what it says."""
        return _body(await self._send("POST", path, "v1.0", body=body, repeatable=True), f"POST {path}")

    async def update(self, path: str, body: Mapping[str, Any], *, replicating: bool = False) -> None:
        """Change the members that the body names."""
        await self._send("PATCH", path, "v1.0", body=body, replicating=replicating, repeatable=True)

    async def upsert(self, path: str, body: Mapping[str, Any]) -> GraphObject | None:
        """Make the object of a unique key and give it; or change the one that is there, and give None.

        After a lost answer the second attempt finds what the first made: read the object in either case.
        """
        received = await self._send(
            "PATCH", path, "v1.0", body=body, headers={"Prefer": "create-if-missing"}, repeatable=True
        )
        return received.body

    async def delete(self, path: str) -> bool:
        """Delete an object; false where there was none, or none any more."""
        try:
            await self._send("DELETE", path, "v1.0", repeatable=True)
        except ObjectNotFound:
            return False
        return True

    async def add_ref(self, path: str, target: str, *, replicating: bool = False) -> None:
        """Assign an object to another: ``path`` ends with ``/$ref``, ``target`` is the path of the one assigned."""
        body = {"@odata.id": str(self._url(target, "v1.0"))}
        await self._send("POST", path, "v1.0", body=body, replicating=replicating, repeatable=False)

    async def remove_ref(self, path: str) -> bool:
        """Take an assignment away; false where there was none."""
        return await self.delete(path)

    async def _send(
        self,
        method: str,
        path: str,
        version: Version,
        *,
        query: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Received:
        url = self._url(path, version).with_query(query or None)
        call = Call(method=method, url=url, what=f"{method} {path}", **more)
        return await self._explained(call, path, version, self._exchange.deadline())

    async def _explained(self, call: Call, path: str, version: Version, deadline: float) -> Received:
        """Send, and say of a 403 which permission would have helped."""
        try:
            return await self._exchange.send(call, deadline)
        except RequestRefused as error:
            if error.status != 403:
                raise
            raise _missing(error, permissions_for(call.method, path, version), await self.permissions()) from error

    def _url(self, path: str, version: Version) -> URL:
        """Give the address of a path.

        Raises:
            ValueError: the path could lead elsewhere: an id that is none was put into it.
        """
        if (
            not path.startswith("/")
            or any(each in {"", ".", ".."} for each in path[1:].split("/"))
            or set(path) & set("?#\\%")
        ):
            raise ValueError(f"no path of Graph: {path!r}")
        return self._base.with_path(f"/{version}{path}")

    def _next(self, body: GraphObject, what: str) -> URL | None:
        link = body.get(_NEXT)
        if link is None:
            return None
        try:
            url = URL(link, encoded=True) if isinstance(link, str) else URL()
            same = url.is_absolute() and url.origin() == self._base.origin() and url.user is None
        except ValueError:
            same = False
        if not same:
            reason = f"{what}: the link to the next page leads to another host"
            raise AnswerUnusable(reason, "The token would go along, so it is not followed. Check the address of Graph")
        return url


def literal(value: str) -> str:
    """Write a text as OData does in a filter or a key: in apostrophes, those inside doubled."""
    return "'" + value.replace("'", "''") + "'"


def _missing(error: RequestRefused, wanted: Permissions, held: TokenPermissions) -> PermissionMissing:
    """Say which permission would have helped, or that it is not a permission that is missing."""
    is_held = bool(wanted) and held.granted is not None and held.allows(wanted)
    if is_held:
        advice = f"The token has {in_words(wanted)}: the account may lack a directory role ({_ROLES}), or a licence"
    elif held.delegated:
        advice = f"Sign in with {in_words(wanted)}; the account may need a directory role as well ({_ROLES})"
    else:
        advice = f"Grant the application {in_words(wanted)}, with an administrator's consent"
    least = wanted[0] if wanted else frozenset()
    return PermissionMissing(error.reason, advice, wanted=least, held=is_held, status=403, code=error.code)


def _checked(base_url: str) -> URL:
    url = URL(base_url)
    if not url.is_absolute() or url.user is not None or url.query_string or url.path.strip("/"):
        raise ValueError(f"the address of Graph has to be scheme and host alone, as {PUBLIC_CLOUD}")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(url.host or "")):
        raise ValueError(f"the address of Graph has to start with https://, as {PUBLIC_CLOUD}")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _query(select: Sequence[str], expand: Sequence[str]) -> dict[str, str]:
    options = {"$select": ",".join(select), "$expand": ",".join(expand)}
    return {name: members for name, members in options.items() if members}


def _body(received: Received, what: str) -> GraphObject:
    if received.body is None:
        raise AnswerUnusable(f"{what}: the answer is empty", "Check the address of Graph", status=received.status)
    return received.body


def _items(body: GraphObject, what: str) -> list[GraphObject]:
    items = body.get("value")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise AnswerUnusable(f"{what}: the answer is no list of objects", "Check the address of Graph")
    return items

"""A client of Microsoft Graph: read, list, create, change, delete and assign objects.

It sends requests to one address only, follows no redirect and no link to another host, and reports every failure as one
of `selftest.tenant.graph.errors`, with the permission that would have helped. It does not know what the objects mean.

Source: microsoft-graph-docs ``concepts/paging.md``, ``concepts/query-parameters.md``, ``application-upsert.md``.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from yarl import URL

from selftest.base.loopback import is_this_machine
from selftest.tenant.graph.errors import AnswerUnusable, ObjectNotFound, PermissionMissing, RequestRefused
from selftest.tenant.graph.objects import GraphObject
from selftest.tenant.graph.patience import Patience
from selftest.tenant.graph.surface import Permissions, Version, permissions_for
from selftest.tenant.graph.token_permissions import TokenPermissions, in_words, token_permissions

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from selftest.tenant.graph.answer import Received

PUBLIC_CLOUD: Final = "https://graph.microsoft.com"
#: A tenant has at most 100 extensions and 250 listeners; sign-ins come a thousand a page.
MAX_PAGES: Final = 100

_NEXT: Final = "@odata.nextLink"
_ROLES: Final = "Authentication Extensibility Administrator or Application Administrator"


class GraphClient(AbstractAsyncContextManager["GraphClient"]):
    """A client of one Graph; an async context manager that closes its connections.

    Args:
        credential: The source of tokens; raises `NotSignedIn` when it has none.
        base_url: Scheme and host of Graph; https, or a loopback address.
        scopes: The scopes of the tokens; None: everything that was consented to.
        patience: How long to try.
        options: Clocks, sleep and randomness for `GraphPipeline`.

    Raises:
        ValueError: The address is plain http to another machine.
    """

    def __init__(
        self,
        credential: "AsyncTokenCredential",
        *,
        base_url: str = PUBLIC_CLOUD,
        scopes: Sequence[str] | None = None,
        patience: Patience | None = None,
        **options: Any,
    ) -> None:
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - only a command that signs in loads azure-core

        from selftest.tenant.graph.pipeline import GraphPipeline  # noqa: PLC0415 - loads azure-core

        self._base = _checked(base_url)
        wanted = scopes or (f"{self._base.origin()}/.default",)
        local = is_this_machine(base_url)
        self._request = HttpRequest
        self._pipeline = GraphPipeline(credential, wanted, patience or Patience(), local=local, **options)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pipeline.close()

    async def permissions(self) -> TokenPermissions:
        """Return what the token allows according to itself, to know in advance what will be refused.

        Raises:
            NotSignedIn: There is no token.
        """
        return token_permissions(await self._pipeline.token())

    async def get(
        self,
        path: str,
        *,
        select: Sequence[str] = (),
        version: Version = "v1.0",
        replicating: bool = False,
    ) -> GraphObject:
        """Read one object.

        Args:
            path: Below the version, with a slash at the start.
            select: The members to read; empty: those that Graph returns by default.
            version: Of Graph.
            replicating: Whether the object may have been created a moment ago, so that "not found" is retried.

        Raises:
            ObjectNotFound: It does not exist.
            GraphError: Any other failure.
        """
        received = await self._send("GET", path, version, query=_query(select), replicating=replicating)
        return _body(received, f"GET {path}")

    async def find(self, path: str, *, select: Sequence[str] = (), version: Version = "v1.0") -> GraphObject | None:
        """Read one object, or return None where it does not exist."""
        try:
            return await self.get(path, select=select, version=version)
        except ObjectNotFound:
            return None

    async def list_all(
        self,
        path: str,
        *,
        select: Sequence[str] = (),
        version: Version = "v1.0",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_pages: int = MAX_PAGES,
        replicating: bool = False,
    ) -> list[GraphObject]:
        """Read all objects of a list, page after page.

        Args:
            path: Below the version, with a slash at the start.
            select: As in `get`.
            version: Of Graph.
            query: Further options, as ``{"$filter": …, "$top": …}``.
            headers: Further headers, as ``ConsistencyLevel``.
            max_pages: More pages are an error: no list that is needed is so long.
            replicating: As in `get`.

        Raises:
            AnswerUnusable: Too many pages, a link to another host, or no list.
            GraphError: Any other failure.
        """
        what, deadline = f"GET {path}", self._pipeline.deadline()
        url: URL | None = self._url(path, version).with_query({**_query(select), **(query or {})})
        items: list[GraphObject] = []
        seen: set[URL] = set()
        while url is not None:
            if url in seen or len(seen) >= max_pages:
                reason = f"{what}: the list has more than {max_pages} pages, or its pages form a circle"
                raise AnswerUnusable(reason, "Request less with a filter, or longer pages with $top")
            seen.add(url)
            received = await self._send(
                "GET", path, version, url=url, headers=headers, deadline=deadline, replicating=replicating
            )
            body = _body(received, what)
            items += _items(body, what)
            url = self._next(body, what)
        return items

    async def create(self, path: str, body: Mapping[str, Any], *, replicating: bool = False) -> GraphObject:
        """Create an object, and return it as Graph created it.

        Raises:
            OutcomeUnknown: It may have been created.
            GraphError: Any other failure.
        """
        received = await self._send("POST", path, body=body, replicating=replicating, repeatable=False)
        return _body(received, f"POST {path}")

    async def act(self, path: str, body: Mapping[str, Any] | None = None) -> GraphObject:
        """Call an action that changes nothing, as the validation, and return its result."""
        return _body(await self._send("POST", path, body=body), f"POST {path}")

    async def update(self, path: str, body: Mapping[str, Any], *, replicating: bool = False) -> None:
        """Change the members that the body names."""
        await self._send("PATCH", path, body=body, replicating=replicating)

    async def upsert(self, path: str, body: Mapping[str, Any]) -> GraphObject | None:
        """Create the object of a unique key and return it; or change the existing one, and return None.

        After a lost answer the second attempt finds what the first created: read the object in either case.
        """
        return (await self._send("PATCH", path, body=body, headers={"Prefer": "create-if-missing"})).body

    async def delete(self, path: str) -> bool:
        """Delete an object or an assignment; return False where there was none."""
        try:
            await self._send("DELETE", path)
        except ObjectNotFound:
            return False
        return True

    async def add_ref(self, path: str, target: str, *, replicating: bool = False) -> None:
        """Assign an object to another: ``path`` ends with ``/$ref``, ``target`` is the path of the assigned object."""
        body = {"@odata.id": str(self._url(target, "v1.0"))}
        await self._send("POST", path, body=body, replicating=replicating, repeatable=False)

    async def _send(
        self,
        method: str,
        path: str,
        version: Version = "v1.0",
        *,
        url: URL | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        repeatable: bool = True,
        replicating: bool = False,
    ) -> "Received":
        """Send a request; where it is refused with 403, name the permission that would have helped."""
        target = url or self._url(path, version).with_query(query or None)
        try:
            return await self._pipeline.send(
                self._request(method, str(target), json=body, headers=dict(headers or {})),
                what=f"{method} {path}",
                deadline=self._pipeline.deadline() if deadline is None else deadline,
                repeatable=repeatable,
                replicating=replicating,
            )
        except RequestRefused as error:
            if error.status != 403:
                raise
            raise _missing(error, permissions_for(method, path, version), await self.permissions()) from error

    def _url(self, path: str, version: Version) -> URL:
        """Return the address of a path.

        Raises:
            ValueError: The path could lead elsewhere: it contains an id that is not one.
        """
        if (
            not path.startswith("/")
            or any(each in {"", ".", ".."} for each in path[1:].split("/"))
            or set(path) & set("?#\\%")
        ):
            raise ValueError(f"not a path of Graph: {path!r}")
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
            advice = "It is not followed, because the token would be sent along. Check the address of Graph"
            raise AnswerUnusable(reason, advice)
        return url


def literal(value: str) -> str:
    """Return a text as OData writes it in a filter or a key: in apostrophes, those inside doubled."""
    return "'" + value.replace("'", "''") + "'"


def _missing(error: RequestRefused, wanted: Permissions, held: TokenPermissions) -> PermissionMissing:
    """Name the permission that would have helped, or say that it is not a permission that is missing."""
    is_held = bool(wanted) and held.granted is not None and held.allows(wanted)
    if is_held:
        advice = f"The token has {in_words(wanted)}: the account may lack a directory role ({_ROLES}), or a license"
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
    if url.scheme != "https" and not (url.scheme == "http" and is_this_machine(base_url)):
        raise ValueError(f"the address of Graph has to start with https://, as {PUBLIC_CLOUD}")
    return url


def _query(select: Sequence[str]) -> dict[str, str]:
    return {"$select": ",".join(select)} if select else {}


def _body(received: "Received", what: str) -> GraphObject:
    if received.body is None:
        raise AnswerUnusable(f"{what}: the answer is empty", "Check the address of Graph", status=received.status)
    return received.body


def _items(body: GraphObject, what: str) -> list[GraphObject]:
    items = body.get("value")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise AnswerUnusable(f"{what}: the answer is not a list of objects", "Check the address of Graph")
    return items

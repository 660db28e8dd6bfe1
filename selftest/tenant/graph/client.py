"""A client of Microsoft Graph: read, list, create, change, delete and assign objects.

It sends requests to one address only, follows no redirect and no link to another host, and reports every failure as one
of `selftest.tenant.graph.errors`, with the permission that would have helped. It does not know what the objects mean.

Source: microsoft-graph-docs ``concepts/paging.md``, ``concepts/query-parameters.md``, ``application-upsert.md``.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final

from yarl import URL

from selftest.base.loopback import is_this_machine
from selftest.tenant.graph.address import PUBLIC_CLOUD, graph_address, next_page, path_url
from selftest.tenant.graph.credentials import GraphTokenSource
from selftest.tenant.graph.errors import AnswerUnusable, ObjectNotFound, RequestRefused
from selftest.tenant.graph.objects import GraphObject
from selftest.tenant.graph.patience import Patience
from selftest.tenant.graph.surface import Version, permissions_for
from selftest.tenant.graph.token_permissions import TokenPermissions, permission_missing, token_permissions

if TYPE_CHECKING:
    from selftest.tenant.graph.answer import Received

#: A tenant has at most 100 extensions and 250 listeners; sign-ins come a thousand a page.
MAX_PAGES: Final = 100


class GraphClient(AbstractAsyncContextManager["GraphClient"]):
    """A client of one Graph; an async context manager that closes its connections.

    A path is below the version and starts with a slash. Without ``select`` Graph chooses the members. ``replicating``
    says that the object of the path may have been created a moment ago, so that "not found" is retried.

    Args:
        base_url: Scheme and host of Graph; https, or a loopback address.
        scopes: The scopes of the tokens; None: everything that was consented to.
        options: Clocks, sleep and randomness for `GraphPipeline`.

    Raises:
        ValueError: The address is plain http to another machine.
    """

    def __init__(
        self,
        credential: GraphTokenSource,
        *,
        base_url: str = PUBLIC_CLOUD,
        scopes: Sequence[str] | None = None,
        patience: Patience | None = None,
        **options: Any,
    ) -> None:
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - only a command that signs in loads azure-core

        from selftest.tenant.graph.pipeline import GraphPipeline  # noqa: PLC0415 - loads azure-core

        self._base = graph_address(base_url)
        wanted = scopes or (f"{self._base.origin()}/.default",)
        local = is_this_machine(base_url)
        self._request = HttpRequest
        self._pipeline = GraphPipeline(credential, wanted, patience or Patience(), local=local, **options)

    async def __aexit__(self, *_: object) -> None:
        await self._pipeline.close()

    async def permissions(self) -> TokenPermissions:
        """Return what the token allows according to itself, to know in advance what will be refused.

        Raises:
            NotSignedIn: There is no token.
        """
        return token_permissions(await self._pipeline.token())

    async def get(self, path: str, *, select: Sequence[str] = (), version: Version = "v1.0") -> GraphObject:
        """Read one object.

        Raises:
            ObjectNotFound: It does not exist.
            GraphError: Any other failure.
        """
        received = await self._send("GET", path, version, query=_query(select))
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

        Raises:
            AnswerUnusable: Too many pages, a link to another host, or no list.
            GraphError: Any other failure.
        """
        what, deadline = f"GET {path}", self._pipeline.deadline()
        url: URL | None = path_url(self._base, path, version).with_query({**_query(select), **(query or {})})
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
            url = next_page(self._base, body, what)
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
        body = {"@odata.id": str(path_url(self._base, target, "v1.0"))}
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
        target = url or path_url(self._base, path, version).with_query(query or None)
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
            wanted, held = permissions_for(method, path, version), await self.permissions()
            raise permission_missing(error, wanted, held) from error


def literal(value: str) -> str:
    """Return a text as OData writes it in a filter or a key: in apostrophes, those inside doubled."""
    return "'" + value.replace("'", "''") + "'"


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

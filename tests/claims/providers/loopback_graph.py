"""A small Microsoft Graph on loopback: it checks each request, and its own answers, against the published schema."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.claims.providers.desk import APP_ID, USER_ID
from tests.graph_schema import GraphSchema

PRINCIPAL_ID = "66666666-6666-4666-8666-666666666666"
EXTENSION = f"extension_{APP_ID.replace('-', '')}_level"
WRITER, READER, OLD = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc")


class LoopbackGraph:
    """One tenant with one user; every application is the same one. Tests change its members."""

    def __init__(self, schema: GraphSchema | None) -> None:
        self._schema = schema
        self.url = ""
        self.requests: list[web.Request] = []
        self.violations: list[str] = []
        self.page_size = 999
        self.user: dict[str, Any] = {
            "department": "Sales",
            "onPremisesExtensionAttributes": {"extensionAttribute1": "4711"},
            EXTENSION: "gold",
        }
        self.groups: list[dict[str, Any]] = [{"displayName": name} for name in ("Writers", "App-A", "App-B", "App-B")]
        self.principal: dict[str, Any] | None = {
            "id": PRINCIPAL_ID,
            "appRoles": [
                app_role(WRITER, "Writer"),
                app_role(READER, "Reader"),
                app_role(OLD, "Old", enabled=False),
                app_role("00000000-0000-0000-0000-000000000000", "Nobody"),
                app_role("dddddddd-0000-4000-8000-000000000000", None),
            ],
        }
        self.assigned = [WRITER, OLD, "00000000-0000-0000-0000-000000000000"]
        self.next_link: object = None
        self.status = 200

    def count(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in request.path for request in self.requests)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Check and answer a request."""
        self.requests.append(request)
        path = request.path.removeprefix("/v1.0")
        query = {name: value for name, value in request.query.items() if name != "$skiptoken"}
        if self._schema is not None:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.violations += self._schema.violations(request.method, path, query, headers)
        body = self._body(path, request.query)
        if self.status != 200 or body is None:
            return web.json_response(
                {"error": {"code": "x", "message": "x"}}, status=min(self.status, 404) if body else 404
            )
        if self._schema is not None:
            self.violations += self._schema.misfits(path, body)
        return web.json_response(body)

    def _body(self, path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
        if path == f"/users/{USER_ID}":
            return {name: self.user.get(name) for name in query["$select"].split(",")}
        if path == f"/users/{USER_ID}/transitiveMemberOf/microsoft.graph.group":
            wanted = re.fullmatch(r"startswith\(displayName,'(.*)'\)", query.get("$filter", ""))
            literal = wanted[1] if wanted else ""
            if "'" in literal.replace("''", ""):
                self.violations.append(f"{literal} is no OData string: an apostrophe inside is doubled")
            start = literal.replace("''", "'")
            groups = [group for group in self.groups if str(group["displayName"]).startswith(start)]
            return self._page(groups, path, query)
        if path == f"/users/{USER_ID}/appRoleAssignments":
            assert query["$filter"] == f"resourceId eq {PRINCIPAL_ID}"
            return self._page([{"appRoleId": role} for role in self.assigned], path, query)
        if path.startswith("/servicePrincipals(appId='"):
            return self.principal
        return None

    def _page(self, items: list[dict[str, Any]], path: str, query: Mapping[str, str]) -> dict[str, Any]:
        start = int(query.get("$skiptoken", "0"))
        end = start + min(self.page_size, int(query["$top"]))
        page: dict[str, Any] = {"value": items[start:end]}
        if self.next_link is not None:
            page["@odata.nextLink"] = self.next_link
        elif end < len(items):
            kept = "&".join(f"{name}={value}" for name, value in query.items() if name != "$skiptoken")
            page["@odata.nextLink"] = f"{self.url}{path}?{kept}&$skiptoken={end}".replace(" ", "%20")
        return page


@asynccontextmanager
async def serving_graph(schema: GraphSchema | None) -> AsyncIterator[LoopbackGraph]:
    """Serve it on a free loopback port; at the end nothing undescribed may have been asked or answered."""
    graph = LoopbackGraph(schema)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", graph.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        graph.url = str(server.make_url("/v1.0"))
        yield graph
    assert graph.violations == []


def app_role(role_id: str, value: str | None, *, enabled: bool = True) -> dict[str, Any]:
    """Return an application's role as Graph describes it."""
    return {"id": role_id, "value": value, "isEnabled": enabled, "displayName": "x", "allowedMemberTypes": ["User"]}

"""Plain requests to the emulated Graph, each answer compared with Microsoft's description where that is available."""

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.description import published

EXTENSIONS = "/identity/customAuthenticationExtensions"
LISTENERS = "/identity/authenticationEventListeners"
POLICIES = "/policies/claimsMappingPolicies"


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """Return the code of an error."""
        return str(self.body["error"]["code"])

    @property
    def detail(self) -> str:
        """Return the code of an error's detail."""
        return str(self.body["error"]["details"][0]["code"])


class PlainClient:
    """Sends requests to one server."""

    def __init__(self, server: GraphServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self._session = session

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str = "v1.0",
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request with a token that allows everything, unless another one is given, or None."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token or self.server.token()}"
        url = path if path.startswith("http") else f"{self.server.url}/{version}{path}"
        async with self._session.request(method, url, json=body, headers=sent) as response:
            text = await response.text()
            reply = Reply(response.status, await response.json() if text else None, response.headers)
        if reply.status < 300 and reply.body is not None:
            _described(method, path, version, reply.body)
        return reply

    async def id_of(self, path: str) -> str:
        """Return the id of the only object of a list."""
        (item,) = (await self.ask("GET", path)).body["value"]
        return str(item["id"])


def _described(method: str, path: str, version: str, body: Any) -> None:
    """Compare an answer with the description."""
    plain = re.sub(r"\?.*", "", path)
    if plain.startswith(("http", "/organization")):
        return
    with contextlib.suppress(pytest.skip.Exception):
        assert list(published(version).misfits(plain, body, method=method)) == []


@contextlib.asynccontextmanager
async def plain_client(objects: Mapping[str, Any] | None = None, **options: Any) -> AsyncIterator[PlainClient]:
    """Start a server and a client of it."""
    async with GraphServer(objects, **options) as server, aiohttp.ClientSession() as session:
        yield PlainClient(server, session)

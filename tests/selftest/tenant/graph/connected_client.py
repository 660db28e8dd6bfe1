"""A client of Graph connected to an emulated Graph, both in simulated time."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.patience import Patience
from selftest.tenant.graph.unsigned_tokens import FixedCredential
from tests.emulated_graph.server import ALL_PERMISSIONS, GraphServer


class SimulatedTime:
    """Time that passes only in sleeps. It is far in the future: azure-core renews tokens in real time."""

    def __init__(self) -> None:
        self.now_s = 4_000_000_000.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Advance the time at once."""
        self.slept_s.append(seconds)
        self.now_s += seconds


class ConnectedClient:
    """A client and its server."""

    def __init__(
        self, server: GraphServer, client: GraphClient, time: SimulatedTime, credential: FixedCredential
    ) -> None:
        self.server = server
        self.client = client
        self.time = time
        self.credential = credential


def simulated_client(
    credential: FixedCredential, base_url: str, time: SimulatedTime, patience: Patience | None = None
) -> GraphClient:
    """Return a client whose clocks and sleeps are simulated, without jitter."""
    clocks: dict[str, Any] = {"clock": time, "wall_clock": time, "sleep": time.sleep, "rng": lambda: 0.0}
    return GraphClient(credential, base_url=base_url, patience=patience, **clocks)


@contextlib.asynccontextmanager
async def connected(
    permissions: frozenset[str] = ALL_PERMISSIONS,
    *,
    patience: Patience | None = None,
    delegated: bool = True,
    **options: Any,
) -> AsyncIterator[ConnectedClient]:
    """Start a server and a client that is signed in to it."""
    time = SimulatedTime()
    async with GraphServer(clock=time, **options) as server:
        credential = server.credential(permissions, delegated=delegated)
        async with simulated_client(credential, server.url, time, patience) as client:
            yield ConnectedClient(server, client, time, credential)


@contextlib.asynccontextmanager
async def answering(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> AsyncIterator[GraphClient]:
    """Start a server that always sends this answer, and a client of it."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        url = str(server.make_url("")).rstrip("/")
        credential = FixedCredential(lambda: "secret-token")
        async with simulated_client(credential, url, SimulatedTime(), Patience(deadline_s=1)) as client:
            yield client

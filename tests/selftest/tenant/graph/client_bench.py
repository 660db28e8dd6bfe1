"""A client of Graph at an emulated Graph, in a time of their own."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.exchange import Patience, graph_session
from selftest.tenant.graph.unsigned_tokens import FixedCredential
from tests.emulated_graph.server import ALL_PERMISSIONS, GraphServer


class Time:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept_s.append(seconds)
        self.now_s += seconds


class Bench:
    """A client at a server, in a time of their own."""

    def __init__(self, server: GraphServer, client: GraphClient, time: Time, credential: FixedCredential) -> None:
        self.server = server
        self.client = client
        self.time = time
        self.credential = credential


@contextlib.asynccontextmanager
async def bench(
    permissions: frozenset[str] = ALL_PERMISSIONS,
    *,
    patience: Patience | None = None,
    delegated: bool = True,
    **options: Any,
) -> AsyncIterator[Bench]:
    """Give a client that is signed in."""
    time = Time()
    async with GraphServer(clock=time, **options) as server, graph_session(trust_env=False) as session:
        credential = server.credential(permissions, delegated=delegated)
        client = GraphClient(
            session,
            credential,
            base_url=server.url,
            patience=patience,
            clock=time,
            wall_clock=time,
            sleep=time.sleep,
            rng=lambda: 0.0,
        )
        yield Bench(server, client, time, credential)


@contextlib.asynccontextmanager
async def answering(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> AsyncIterator[GraphClient]:
    """Give a client of a server that always answers this."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    app, time = web.Application(), Time()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as server, graph_session(trust_env=False) as session:
        credential = FixedCredential(lambda: "secret-token")
        yield GraphClient(
            session,
            credential,
            base_url=str(server.make_url("")).rstrip("/"),
            clock=time,
            wall_clock=time,
            sleep=time.sleep,
            patience=Patience(deadline_s=1),
        )

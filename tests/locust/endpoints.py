"""Endpoints on the loopback interface whose responses a test chooses."""

import asyncio
import contextlib
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from claims.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE

GOOD = json.dumps(
    {
        "data": {
            "@odata.type": RESPONSE_DATA_TYPE,
            "actions": [{"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": {"CustomRoles": ["Writer"]}}],
        }
    }
)


@dataclass(kw_only=True)
class Endpoint:
    """The endpoint's URL and the callouts that it received.

    Attributes:
        callouts: How often each correlation id came; two mean a retry.
        bodies: The first event of each correlation id.
        tokens: The values of Authorization in the order of their first use.
        connections: The connections that were used.
        headers: The headers of the last callout.
    """

    url: str = ""
    callouts: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    connections: set[object] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)


#: Gets the number of the sign-in, from 1, and of the callout in it, 1 or 2.
type Answer = Callable[[int, int], Awaitable[web.Response]]


async def good(_signin: int, _callout: int) -> web.Response:
    """Answer like a valid endpoint."""
    return web.Response(text=GOOD, content_type="application/json")


class BreakConnection(Exception):
    """Raised by an answer to break the connection."""


async def silent(_signin: int, _callout: int) -> web.Response:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


@contextlib.asynccontextmanager
async def endpoint(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Endpoint]:
    """Serve the callouts with this answer, over TLS if there is a context."""
    seen = Endpoint()

    async def handle(request: web.Request) -> web.Response:
        body = await request.text()
        correlation_id = json.loads(body)["data"]["authenticationContext"]["correlationId"]
        seen.callouts[correlation_id] += 1
        seen.headers = dict(request.headers)
        seen.connections.add(request.transport)
        token = request.headers["Authorization"]
        seen.tokens[token] = seen.tokens.get(token, 0) + 1
        assert seen.bodies.setdefault(correlation_id, body) == body, "a retry sends the same bytes"
        number = list(seen.callouts).index(correlation_id) + 1
        try:
            return await answer(number, seen.callouts[correlation_id])
        except BreakConnection:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

    app = web.Application()
    app.add_routes([web.post("/api/onTokenIssuanceStart", handle)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        seen.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        yield seen
    finally:
        await runner.cleanup()

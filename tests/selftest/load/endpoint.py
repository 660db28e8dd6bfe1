"""An endpoint in its own thread, with a handler that the test chooses."""

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import jwt
from aiohttp import web

from selftest.base.serve import start_runner
from selftest.testing.loop_thread import LoopThread
from tests.selftest.replies import GOOD

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GOOD_BODY = json.dumps(GOOD).encode()


async def good(request: web.Request) -> web.Response:
    """Answer like a valid endpoint, with Server-Timing."""
    await request.read()
    timing = {"Server-Timing": "token;dur=0.2, provider;dur=0.3, total;dur=0.6"}
    return web.Response(body=GOOD_BODY, content_type="application/json", headers=timing)


async def broken(request: web.Request) -> web.Response:
    """Answer 500."""
    await request.read()
    return web.Response(status=500)


async def good_with_version_1(request: web.Request) -> web.Response:
    """Answer 401 to a token of version 2.0."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_older = bool(token) and jwt.decode(token, options={"verify_signature": False})["ver"] == "1.0"
    return await good(request) if is_older else web.Response(status=401)


@contextmanager
def serving(handler: Handler) -> Iterator[str]:
    """Serve every path with this handler, and yield the URL."""
    app, loop = web.Application(), LoopThread()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = loop.run(start_runner(app))
    loop.run(web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start())
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/onTokenIssuanceStart"
    finally:
        loop.run(runner.cleanup())
        loop.close()

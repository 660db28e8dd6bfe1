"""An endpoint in its own thread, with a handler that the test chooses."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from aiohttp import web

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


@contextmanager
def serving(handler: Handler) -> Iterator[str]:
    """Serve every path with this handler, and yield the URL."""
    started, stop = Event(), Event()
    address: list[str] = []

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        address.append(f"http://127.0.0.1:{runner.addresses[0][1]}/api/onTokenIssuanceStart")
        started.set()
        await asyncio.to_thread(stop.wait)
        await runner.cleanup()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    try:
        yield address[0]
    finally:
        stop.set()
        thread.join()

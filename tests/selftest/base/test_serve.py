"""Serving on the loopback interface: what ends together with the server is no error."""

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web

from selftest.base.serve import HOST, serve


async def _end_with_the_server(app: web.Application, *, handled: web.Response | Exception) -> int:
    """Stop a server while it handles a request, and let the handler end as the wait for it ends; return the status."""
    called, stopping = asyncio.Event(), asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        called.set()
        await stopping.wait()
        for _step in range(5):
            await asyncio.sleep(0)
        # Both timers are over when the loop goes on, and this one is the older of the two.
        due = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0, due.set_result, None)
        time.sleep(0.3)  # noqa: ASYNC251 - the loop has to be late
        await due
        if isinstance(handled, Exception):
            raise handled
        return handled

    async def stop(_: web.Application) -> None:
        stopping.set()

    app.router.add_get("/", handler)
    app.on_shutdown.append(stop)
    runner, port = await serve(app, 0)
    async with aiohttp.ClientSession() as session:
        call = asyncio.create_task(session.get(f"http://{HOST}:{port}/"))
        await called.wait()
        await runner.cleanup()
        return (await call).status


async def test_a_request_that_ends_with_the_server_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """The tool's stderr has no traceback above the verdict because of a race inside aiohttp."""
    assert await _end_with_the_server(web.Application(), handled=web.Response()) == 200
    assert caplog.messages == []


async def test_an_error_of_a_handler_is_still_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Only aiohttp's own record is left out, not one about a handler that fails."""
    failed = asyncio.InvalidStateError("of the handler")
    assert await _end_with_the_server(web.Application(), handled=failed) == 500
    assert [message.split(" from ")[0] for message in caplog.messages] == ["Error handling request"]

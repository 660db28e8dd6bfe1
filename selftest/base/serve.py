"""Serve a web application on this machine's loopback interface only."""

import asyncio
import logging
import ssl
from typing import Final

from aiohttp import web

HOST: Final = "127.0.0.1"
#: A client that is still waiting when a server shuts down will not be answered.
_SHUTDOWN_TIMEOUT_S: Final = 0.1


def _is_no_race(record: logging.LogRecord) -> bool:
    """Whether a record is not that of a request that ends in the moment in which a stopping server waits no longer.

    aiohttp 3.14 then sets the result of a future that it has just canceled itself. The response has been sent, and the
    connection is closed, as it would be anyway.
    """
    is_race = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.InvalidStateError)
    return not (is_race and record.msg == "Unhandled exception")


_log: Final = logging.getLogger("selftest.serve")
_log.addFilter(_is_no_race)


async def serve(app: web.Application, port: int) -> tuple[web.AppRunner, int]:
    """Serve until the runner's ``cleanup``; return the runner and the port, which is any free one for 0.

    Raises:
        OSError: The port is in use.
    """
    runner = await start_runner(app)
    try:
        await web.TCPSite(runner, HOST, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])


async def start_runner(app: web.Application) -> web.AppRunner:
    """Return a runner that listens nowhere yet."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT_S, logger=_log)
    await runner.setup()
    return runner


async def listen_tls(runner: web.AppRunner, port: int, context: ssl.SSLContext) -> asyncio.Server:
    """Listen on one more port of a runner, with https. The caller closes the server.

    aiohttp's own site does not bound the TLS shutdown, which a client that keeps its connection never sends.

    Raises:
        OSError: The port is in use.
    """
    assert runner.server is not None  # noqa: S101 - it was started
    return await asyncio.get_running_loop().create_server(
        runner.server, HOST, port, ssl=context, ssl_shutdown_timeout=_SHUTDOWN_TIMEOUT_S
    )

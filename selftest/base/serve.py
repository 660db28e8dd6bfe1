"""Serve a web application on this machine's loopback interface only."""

from typing import Final

from aiohttp import web

HOST: Final = "127.0.0.1"
#: A client that is still waiting when a server shuts down will not be answered.
_SHUTDOWN_TIMEOUT_S: Final = 0.1


async def serve(app: web.Application, port: int) -> tuple[web.AppRunner, int]:
    """Serve until the runner's ``cleanup``; return the runner and the port, which is any free one for 0.

    Raises:
        OSError: The port is in use.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])

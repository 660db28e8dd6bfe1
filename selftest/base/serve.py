"""A web application on this machine's own interface, and nowhere else."""

from typing import Final

from aiohttp import web

HOST: Final = "127.0.0.1"
#: Who still asks when a server ends has no answer coming.
_SHUTDOWN_TIMEOUT_S: Final = 0.1


async def serve(app: web.Application, port: int) -> tuple[web.AppRunner, int]:
    """Serve until the runner's ``cleanup``, and give it with the port.

    Args:
        app: what is served.
        port: 0 takes any free one.

    Raises:
        OSError: the port is taken.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])

"""A real Redis on a free port, where ``redis-server`` is installed."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

SERVER = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    SERVER is None, reason="redis-server is not installed (Debian: apt-get install redis-server)"
)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def running_redis(port: int, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it in memory on 127.0.0.1 while the block runs."""
    assert SERVER is not None
    with tempfile.TemporaryDirectory() as folder:
        words = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, *options)
        process = await asyncio.create_subprocess_exec(SERVER, *words, stdout=asyncio.subprocess.DEVNULL)
        try:
            async with asyncio.timeout(20):
                while not await _listens(port):  # noqa: ASYNC110 (another process sets no event)
                    await asyncio.sleep(0.05)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True

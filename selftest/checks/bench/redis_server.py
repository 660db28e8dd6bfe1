"""A Redis of the harness, and what the shared cache needs: ``redis-server``, and its client in the app's Python."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.serve import HOST

#: None where it is not installed. Debian's package has the same name.
REDIS_SERVER: Final = shutil.which("redis-server")
_START_TIMEOUT_S: Final = 20.0
_POLL_S: Final = 0.05
#: What ``Claims__SharedCache`` imports.
_FINDS_CLIENT: Final = "import importlib.util, sys; sys.exit(importlib.util.find_spec('redis') is None)"


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


class RedisServer:
    """A running Redis.

    Args:
        port: Where it listens.
        process: What runs it.

    Attributes:
        url: For ``Claims__SharedCache``.
    """

    def __init__(self, port: int, process: asyncio.subprocess.Process) -> None:
        self.url = f"redis://{HOST}:{port}"
        self._port = port
        self._process = process

    async def has_keys_of(self, user_ids: Sequence[str]) -> bool:
        """Whether it stores a key for each user; the app's keys name them."""
        reader, writer = await asyncio.open_connection(HOST, self._port)
        writer.write(b"KEYS *\r\n")
        count = int((await reader.readline()).removeprefix(b"*"))
        # Each name comes after a line with its length (RESP2, bulk strings).
        names = b"".join([await reader.readline() for _ in range(2 * count)]).decode()
        writer.close()
        return all(user_id in names for user_id in user_ids)

    async def stop(self) -> None:
        """End it at once, and wait until it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def running_redis(port: int, *options: str) -> AsyncIterator[RedisServer]:
    """Run a Redis on 127.0.0.1, in memory and with its own folder, while the block runs.

    Raises:
        CannotRun: It is not installed, or does not start.
    """
    if REDIS_SERVER is None:
        raise CannotRun("redis-server is not installed (Debian: apt-get install redis-server)")
    with tempfile.TemporaryDirectory() as folder:
        words = ("--port", str(port), "--bind", HOST, "--save", "", "--dir", folder, *options)
        process = await asyncio.create_subprocess_exec(
            REDIS_SERVER, *words, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        server = RedisServer(port, process)
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                while process.returncode is None and not await _listens(port):  # noqa: ASYNC110 (another process sets no event)
                    await asyncio.sleep(_POLL_S)
            if process.returncode is not None:
                raise CannotRun(f"redis-server ended with exit code {process.returncode}; its own message is above")
            yield server
        finally:
            await server.stop()


async def has_client(python: Path) -> bool:
    """Whether the client of the shared cache is installed in the app's Python."""
    process = await asyncio.create_subprocess_exec(str(python), "-P", "-c", _FINDS_CLIENT)
    return await process.wait() == 0


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True

"""A real Azurite: its table service on a free loopback port, in memory.

``npm ci --prefix tests/azurite`` installs it.
"""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_COMMAND: Final = Path(__file__).parents[2] / "azurite" / "node_modules" / ".bin" / "azurite-table"
_START_S: Final = 20

#: Azurite's published account; its key is no secret.
#: Source: azure-docs ``storage-use-azurite.md`` ("Well-known storage account and key").
ACCOUNT: Final = "devstoreaccount1"
KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def why_not() -> str | None:
    """Say what keeps Azurite from starting, with the command that mends it; None when nothing does."""
    if shutil.which("node") is None:
        return "Azurite needs Node.js: install it, then run npm ci --prefix tests/azurite"
    if not _COMMAND.exists():
        return "Azurite is not installed: run npm ci --prefix tests/azurite"
    return None


def connection_string(url: str) -> str:
    """The settings of an account that listens there."""
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};TableEndpoint={url};"


@asynccontextmanager
async def azurite(*options: str, scheme: str = "http", cwd: Path) -> AsyncIterator[str]:
    """Run it and give the account's URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(str(_COMMAND), "--tableHost", "127.0.0.1", "--tablePort", str(port)),
        *("--inMemoryPersistence", "--disableTelemetry", "--silent", "--skipApiVersionCheck", *options),
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            while b"successfully started" not in (line := await process.stdout.readline()):
                assert line, "Azurite ended before it listened"
        yield f"{scheme}://127.0.0.1:{port}/{ACCOUNT}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()

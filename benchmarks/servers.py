"""The peers, and how each is served: in Microsoft's worker library, or behind uvicorn."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from selftest.host.process import AppProcess, AppStartError

_PEERS: Final = Path(__file__).parent / "peers"
_LISTENING: Final = re.compile(rb"running on http://127\.0\.0\.1:(\d+)")
_START_TIMEOUT_S: Final = 20.0
_KEEP_ALIVE_S: Final = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One thing that is measured.

    Attributes:
        name: in code and results.
        title: in tables.
        app_dir: where its function_app.py is, when the worker library serves it.
        asgi: its ``module:app``, when uvicorn does.
        packages: what it needs of the benchmarks' environment.
    """

    name: str
    title: str
    app_dir: Path | None = None
    asgi: str = ""
    packages: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Name the packages that are not installed."""
        return [package for package in self.packages if find_spec(package) is None]


#: The checkout.
ROOT: Final = Path(__file__).parents[1]
OURS: Final = Peer(name="ours", title="this endpoint", app_dir=ROOT)
OURS_AGED: Final = Peer(name="ours", title="this endpoint", app_dir=_PEERS / "endpoint_aged")
HANDWRITTEN: Final = Peer(name="handwritten", title="hand-written, PyJWKClient", app_dir=_PEERS / "handwritten")
HANDWRITTEN_GRAPH: Final = Peer(
    name="handwritten-graph",
    title="hand-written, msgraph-sdk",
    app_dir=_PEERS / "handwritten_graph",
    packages=("msgraph",),
)
HANDWRITTEN_GRAPH_JSON: Final = Peer(
    name="handwritten-graph-json",
    title="hand-written, msgraph-sdk without its models",
    app_dir=_PEERS / "handwritten_graph_json",
    packages=("msgraph",),
)
HANDWRITTEN_TABLE: Final = Peer(
    name="handwritten-table", title="hand-written, azure-data-tables", app_dir=_PEERS / "handwritten_table"
)
EMPTY: Final = Peer(name="empty", title="empty function", app_dir=_PEERS / "empty")
OURS_ASGI: Final = Peer(
    name="ours-asgi", title="this endpoint", asgi="benchmarks.peers.asgi_endpoint:app", packages=("uvicorn",)
)
EMPTY_ASGI: Final = Peer(
    name="empty-asgi", title="empty ASGI app", asgi="benchmarks.peers.asgi_empty:app", packages=("uvicorn",)
)
FASTAPI: Final = Peer(
    name="fastapi",
    title="FastAPI + fastapi-azure-auth",
    asgi="benchmarks.peers.fastapi_endpoint:app",
    packages=("uvicorn", "fastapi", "fastapi_azure_auth"),
)
FASTAPI_FUNCTION: Final = Peer(
    name="fastapi-function", title="FastAPI behind AsgiMiddleware", app_dir=_PEERS / "fastapi_function"
)


@dataclass(frozen=True, slots=True)
class Served:
    """A peer that listens."""

    port: int
    pid: int


@asynccontextmanager
async def serving(peer: Peer, settings: Mapping[str, str]) -> AsyncIterator[Served]:
    """Start a peer with these settings, and end it.

    Raises:
        AppStartError: it does not start.
    """
    if peer.app_dir is not None:
        # One interpreter for all, and this endpoint's modules for the peers that wrap it.
        of_checkout = {**settings, "PYTHONPATH": str(ROOT)}
        async with AppProcess(of_checkout, app_dir=peer.app_dir, python=Path(sys.executable)) as app:
            yield Served(int(app.url.rpartition(":")[2]), app.pid)
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", peer.asgi, "--host", "127.0.0.1", "--port", "0", "--no-access-log"),
        *("--loop", "uvloop", "--http", "auto", "--timeout-keep-alive", str(_KEEP_ALIVE_S)),
        cwd=ROOT,
        env={**os.environ, **settings},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None  # noqa: S101 (a pipe, which the types do not know)
        port = await asyncio.wait_for(_port(process.stderr), _START_TIMEOUT_S)
        emptying = asyncio.create_task(_empty(process.stderr))
        yield Served(port, process.pid)
        emptying.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _port(stderr: asyncio.StreamReader) -> int:
    seen = b""
    async for line in stderr:
        if found := _LISTENING.search(line):
            return int(found[1])
        seen += line
    raise AppStartError("the app behind uvicorn did not start", seen.decode(errors="replace"))


async def _empty(stderr: asyncio.StreamReader) -> None:
    while await stderr.read(65_536):
        pass

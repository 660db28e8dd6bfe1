"""An app in Microsoft's own Functions host, where there is one: HOST names the program that starts it.

The program is called as ``PROGRAM PORT APP_DIR PYTHON`` and serves until SIGTERM; ``make .venv-host`` makes the Python.
"""

import asyncio
import os
import shutil
import signal
import socket
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.servers import OURS, ROOT, Peer
from selftest.base.app_folder import app_environment
from selftest.host.process import AppStartError

PROGRAM: Final = os.environ.get("HOST", "")
PYTHON: Final = ROOT / ".venv-host" / "bin" / "python"
_DEPLOYED: Final = ("function_app.py", "host.json", "claims")
_START_TIMEOUT_S: Final = 60.0
_STOP_S: Final = 40.0
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Hosted:
    """An app in Microsoft's host.

    Attributes:
        port: Where the host listens.
        host: The host's process.
        worker: The process of its Python worker.
    """

    port: int
    host: int
    worker: int


def missing() -> str:
    """Say why there is no such host here; empty where there is one."""
    if not PROGRAM:
        return "set HOST to the program that starts Microsoft's Functions host: make bench HOST=…"
    absent = [str(path) for path in (Path(PROGRAM), PYTHON) if not path.is_file()]
    return f"not found: {', '.join(absent)} (make .venv-host makes the Python)" if absent else ""


@asynccontextmanager
async def hosting(peer: Peer, settings: Mapping[str, str]) -> AsyncIterator[Hosted]:
    """Serve a peer in Microsoft's host, and end it.

    Raises:
        AppStartError: It does not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        app = _deployed(peer, Path(folder))
        port = _free_port()
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, str(port), str(app), str(PYTHON)),
            env={
                **app_environment(),
                **settings,
                "FH_STATE": folder,
                # Not PYTHONPATH, where this checkout's function_app.py would come before the app's own.
                "BENCHMARK_ROOT": str(ROOT),
                "BENCHMARK_PACKAGES": sysconfig.get_path("purelib"),
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield await asyncio.wait_for(_started(process, port), _START_TIMEOUT_S)
        except TimeoutError:
            message = f"{peer.title}: Microsoft's host did not start a worker within {_START_TIMEOUT_S:g} s"
            raise AppStartError(message, "") from None
        finally:
            await _stop(process)


def _deployed(peer: Peer, folder: Path) -> Path:
    """Return the app's folder; of this checkout, a copy of what is deployed."""
    if peer.app_dir is not None and peer is not OURS:
        return peer.app_dir
    app = folder / "app"
    app.mkdir()
    for name in _DEPLOYED:
        source = ROOT / name
        _ = shutil.copytree(source, app / name) if source.is_dir() else shutil.copy(source, app)
    return app


async def _started(process: asyncio.subprocess.Process, port: int) -> Hosted:
    while process.returncode is None:
        found = {_words(pid): pid for pid in _descendants(process.pid)}
        host = next((pid for words, pid in found.items() if "WebHost.dll" in words), None)
        worker = next((pid for words, pid in found.items() if "worker.py" in words), None)
        if host is not None and worker is not None:
            return Hosted(port, host, worker)
        await asyncio.sleep(_POLL_S)
    raise AppStartError(f"Microsoft's host ended with {process.returncode}", "")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _descendants(pid: int) -> list[int]:
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            found += [int(child), *_descendants(int(child))]
    return found


def _words(pid: int) -> str:
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_bytes().replace(b"\0", b" ").decode(errors="replace") if path.exists() else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

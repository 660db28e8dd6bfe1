"""Microsoft's own Functions host, where there is one: ``FUNCTIONS_HOST`` names the program that serves an app in it.

The program is called as ``PROGRAM PORT APP_DIR PYTHON``, serves until SIGTERM, takes the app's settings from the
environment, and with ``FH_TRACE=1`` writes the host's log. ``make parity`` makes the Python for it, ``.venv-host``.
"""

import asyncio
import os
import random
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
import pytest

from selftest.base.app_folder import app_environment
from tests.checkout import ROOT

PROGRAM: Final = os.environ.get("FUNCTIONS_HOST", "")
PYTHON: Final = Path(os.environ.get("FUNCTIONS_HOST_PYTHON") or ROOT / ".venv-host" / "bin" / "python")
_MISSING: Final = not (PROGRAM and Path(PROGRAM).is_file() and PYTHON.is_file())
needs_microsoft_host: Final = pytest.mark.skipif(
    _MISSING,
    reason="Microsoft's Functions host is not here: set FUNCTIONS_HOST to the program that starts it, and make parity",
)

#: Each start of the host takes seconds: what needs many is played by make parity, and not with every run of the tests.
slow: Final = pytest.mark.skipif(os.environ.get("PARITY") != "all", reason="slow: make parity runs it (PARITY=all)")

_POLL_S: Final = 0.02
_STOP_S: Final = 40.0
#: How the console log opens an entry; its text follows, indented.
_ENTRY: Final = re.compile(r"(?:trce|dbug|info|warn|fail|crit): (\S+)\[\d+\]$")
#: An app's own lines, in the log of the function that was running.
_OF_THE_APP: Final = re.compile(r"Function\.[^.]+\.User$")


def copy_endpoint(folder: Path) -> Path:
    """Copy what is deployed of the endpoint into a folder, and return the folder."""
    folder.mkdir()
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "claims", folder / "claims", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


class MicrosoftHost:
    """An app in Microsoft's host; an async context manager.

    Args:
        settings: The app's settings.
        app_dir: The app's folder.
        state_dir: A folder for what the host writes.
        trace: Whether to read the host's log, which costs time.
        start_timeout_s: How long the host may take until ``/`` answers.

    Attributes:
        url: Where it listens, without a slash at the end.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        *,
        app_dir: Path,
        state_dir: Path,
        trace: bool = True,
        start_timeout_s: float = 60.0,
    ) -> None:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._command = [PROGRAM, str(port), str(app_dir), str(PYTHON)]
        self._environment = {
            **app_environment(),
            **settings,
            "FH_STATE": str(state_dir),
            **({"FH_TRACE": "1"} if trace else {}),
        }
        self._start_timeout_s = start_timeout_s
        self._log = state_dir / f"host-{port}.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> list[str]:
        """Return the lines of the host's log so far."""
        return self._log.read_text("utf-8", "replace").splitlines() if self._log.exists() else []

    @property
    def logs(self) -> list[str]:
        """Return the app's own lines that the host shows: those that were written while a function ran."""
        lines, shown = [], False
        for line in self.log:
            if entry := _ENTRY.match(line):
                shown = _OF_THE_APP.fullmatch(entry[1]) is not None
            elif shown and line.startswith("      "):
                lines.append(line[6:])
            else:
                shown = False
        return lines

    async def wait_for_line(self, matches: Callable[[str], bool], *, timeout_s: float = 5) -> str:
        """Return the first of the app's own lines of which ``matches`` is true.

        Raises:
            TimeoutError: There is none after this many seconds.
        """
        async with asyncio.timeout(timeout_s):
            while (line := next(filter(matches, self.logs), None)) is None:  # noqa: ASYNC110 (another process writes)
                await asyncio.sleep(_POLL_S)
            return line

    async def __aenter__(self) -> Self:
        """Start it, and wait until ``/`` answers: no function has been called then.

        Raises:
            RuntimeError: It ended, or took too long.
        """
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )
        deadline_s = time.monotonic() + self._start_timeout_s
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while self._process.returncode is None and time.monotonic() < deadline_s:
                try:
                    async with session.get(self.url):
                        return self
                except (aiohttp.ClientError, TimeoutError):
                    await asyncio.sleep(_POLL_S)
        await self.stop()
        raise RuntimeError("Microsoft's host did not start:\n" + "\n".join(self.log[-20:]))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        await self.stop()

    @property
    def process(self) -> asyncio.subprocess.Process:
        """Return the process of the program."""
        if self._process is None:
            raise RuntimeError("the host is not started")
        return self._process

    async def stop(self) -> None:
        """Ask it to end, and end what is left of it: the process group is its own."""
        process = self.process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _free_port() -> int:
    """Return a free port below those that the system hands out: another program could get one of these meanwhile."""
    for _ in range(100):
        port = random.randrange(20_000, 30_000)  # noqa: S311 (no secret)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port between 20,000 and 30,000")

"""Runs a function app in a process of its own: the worker library allows one app a process.

The app sees only the settings that it is given. What an Azure host, or a developer's shell, may have set for an app is
kept from it, so that a result does not depend on where the harness runs.
"""

import asyncio
import re
import signal
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from selftest.base.app_folder import AppFolder, app_environment
from selftest.base.cannot_run import CannotRun
from selftest.host.command import serve_command

_READY: Final = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")
#: What is remembered of the app's log: enough for a run's last minutes, 80 MB at the very worst.
_KEPT_LINES: Final = 10_000
_KEPT_CHARACTERS: Final = 8_192
_CHUNK_BYTES: Final = 65_536


class AppStartError(CannotRun):
    """The app's process did not get as far as listening.

    Attributes:
        message: one sentence.
        stderr: what the process wrote there, with the app's own reason.
    """

    def __init__(self, message: str, stderr: str) -> None:
        self.message = message
        self.stderr = stderr
        super().__init__(f"{message}\n{stderr}" if stderr else message)


class AppProcess:
    """A served app; an async context manager.

    Args:
        settings: the app's settings, as Azure would put them into its environment.
        app_dir: the directory of ``function_app.py``.
        python: the interpreter; None: that of the directory's ``.venv``, or else this process's.
        preload: a file with a function ``install()``, which is called in the app's process before the app is imported.
        start_timeout_s: how long it may take to listen.
        stop_timeout_s: how long it may take to end before it is killed.

    Attributes:
        url: where it listens, without a slash at the end.
        lines_seen: how many lines its log has had, also those no longer kept.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        *,
        app_dir: Path,
        python: Path | None = None,
        preload: Path | None = None,
        start_timeout_s: float = 20,
        stop_timeout_s: float = 5,
    ) -> None:
        self.url = ""
        self.lines_seen = 0
        self._environment = {**app_environment(), **settings}
        self._app = AppFolder.at(app_dir, python)
        self._preload = preload
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._waiters: list[tuple[Callable[[str], bool], asyncio.Future[str]]] = []

    @property
    def logs(self) -> list[str]:
        """The lines of its log up to now, oldest first; the last 10,000 are kept."""
        return list(self._lines)

    async def wait_for_line(self, matches: Callable[[str], bool], *, timeout_s: float = 2) -> str:
        """Return the first line of the log, kept or still to come, of which ``matches`` is true.

        Raises:
            TimeoutError: there is none after this many seconds.
        """
        for line in self._lines:
            if matches(line):
                return line
        waiter: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        entry = (matches, waiter)
        self._waiters.append(entry)
        try:
            return await asyncio.wait_for(waiter, timeout_s)
        finally:
            self._waiters.remove(entry)

    @property
    def pid(self) -> int:
        """The number of the process that runs the app, for measurements of its memory and processor time."""
        started = self._started.pid
        children = Path(f"/proc/{started}/task/{started}/children")
        workers = children.read_text().split() if children.exists() else []
        return int(workers[0]) if workers else started

    @property
    def returncode(self) -> int | None:
        """How the process ended; None while it runs."""
        return self._started.returncode

    async def __aenter__(self) -> Self:
        """Start the process and wait until it listens.

        Raises:
            AppStartError: it ended before, or took longer than ``start_timeout_s``.
        """
        try:
            self._process = await asyncio.create_subprocess_exec(
                *serve_command(self._app, preload=self._preload),
                cwd=self._app.directory,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                # Ctrl-C in the terminal goes to the harness, which then ends the app in order.
                start_new_session=True,
            )
        except (NotADirectoryError, FileNotFoundError) as error:
            raise AppStartError(f"there is no {error.filename}: it is the app's folder or its Python", "") from error
        try:
            await self._until_listening()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        await self.stop()

    async def stop(self) -> int:
        """Ask the process to end, kill it when it does not, and return its exit code."""
        process = self._started
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), self._stop_timeout_s)
            except TimeoutError:
                process.kill()
        code = await process.wait()
        # A grandchild that inherited the pipes could hold them open for ever.
        _, unfinished = await asyncio.wait(self._readers, timeout=1.0)
        for reader in unfinished:
            reader.cancel()
        return code

    @property
    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the app's process is not started: use 'async with AppProcess(...)'")
        return self._process

    async def _until_listening(self) -> None:
        process = self._started
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def look_for_address(line: str) -> None:
            found = _READY.fullmatch(line)
            if found and not ready.done():
                ready.set_result(found[1])

        assert process.stdout is not None  # noqa: S101 - both are pipes, which the types do not know
        assert process.stderr is not None  # noqa: S101 - see above
        out = asyncio.create_task(_read_lines(process.stdout, look_for_address))
        err = asyncio.create_task(_read_lines(process.stderr, self._keep))
        self._readers = [out, err]
        either: set[asyncio.Future[Any]] = {out, ready}
        await asyncio.wait(either, timeout=self._start_timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            self.url = ready.result()
            return
        if not out.done():
            message = f"the app in {self._app.directory} did not listen within {self._start_timeout_s:g} s"
            raise AppStartError(message, "\n".join(self._lines))
        code = await process.wait()
        await asyncio.wait({err}, timeout=1.0)
        raise AppStartError(
            f"the app in {self._app.directory} did not start (exit code {code})", "\n".join(self._lines)
        )

    def _keep(self, line: str) -> None:
        self.lines_seen += 1
        self._lines.append(line)
        for matches, waiter in self._waiters:
            if not waiter.done() and matches(line):
                waiter.set_result(line)


async def _read_lines(stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
    """Pass on each line, the end cut off where it is too long; the pipe is emptied whatever comes."""
    line = bytearray()
    while chunk := await stream.read(_CHUNK_BYTES):
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            line += part
            take(line[:_KEPT_CHARACTERS].decode("utf-8", "replace").rstrip("\r"))
            line.clear()
        line += rest
        del line[_KEPT_CHARACTERS:]
    if line:
        take(line.decode("utf-8", "replace"))

"""Several instances of an app behind one address, as Azure runs them: each with its own memory, replaced when it ends.

Calls go to the instances in turn, so that the second delivery of an event meets another one than the first. An instance
that is gone gets no calls; the connection of a call that was under way in it breaks.
"""

import asyncio
import itertools
import os
import re
import signal
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final, Self

import aiohttp
from aiohttp import web

from selftest.base.app_folder import AppFolder
from selftest.base.cannot_run import CannotRun
from selftest.base.program import PROGRAM
from selftest.base.serve import HOST, serve
from selftest.host.command import serve_command

_READY: Final = re.compile(rb"listening on (http://127\.0\.0\.1:\d+)\n")
#: Of one connection only, not of the message (RFC 9110 section 7.6.1).
_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "host"})
_START_TIMEOUT_S: Final = 30.0
_STOP_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.1
_MAX_BODY_BYTES: Final = 128 * 1024 * 1024


class Instances:
    """Serves an app by several processes; an async context manager.

    Args:
        app: The app.
        count: How many.
        environment: Of each process: the app's settings.
        port: Where the front listens; 0 takes any free one.
        ready_path: What answers 200 when an instance is ready to get calls; empty if it is ready when it listens.
        quiet: Whether neither the instances' logs nor their starts and ends are printed.

    Attributes:
        url: Where the front listens, without a slash at the end.
        count: How many.
        pids: The processes that serve now, by the number of the instance, from 1.
    """

    def __init__(
        self,
        app: AppFolder,
        count: int,
        environment: Mapping[str, str],
        *,
        port: int = 0,
        ready_path: str = "",
        quiet: bool = False,
    ) -> None:
        self.url = ""
        self.count = count
        self.pids: dict[int, int] = {}
        self._command = serve_command(app)
        self._cwd = app.directory
        self._environment = dict(environment)
        self._port = port
        self._ready_path = ready_path
        self._quiet = quiet
        self._urls: dict[int, str] = {}
        self._serving = {number: asyncio.Event() for number in range(1, count + 1)}
        self._turn = itertools.count()
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start the instances and the front.

        Raises:
            CannotRun: An instance did not start, or the port is in use.
        """
        self._session = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        numbers = range(1, self.count + 1)
        try:
            started = await asyncio.gather(*map(self._start, numbers), return_exceptions=True)
            self._keepers = [
                asyncio.create_task(self._keep(number, process))
                for number, process in zip(numbers, started, strict=True)
                if not isinstance(process, BaseException)
            ]
            _raise_first(started)
            front = web.Application(client_max_size=_MAX_BODY_BYTES)
            front.router.add_route("*", "/{path:.*}", self._forward)
            self._runner, port = await serve(front, self._port)
        except OSError as error:
            await self._stop()
            raise CannotRun(f"port {self._port} on {HOST} cannot be used: choose another with --port") from error
        except BaseException:
            await self._stop()
            raise
        self.url = f"http://{HOST}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop all of it."""
        await self._runner.cleanup()
        await self._stop()

    async def replace(self, number: int, signal_number: signal.Signals) -> None:
        """End an instance with a signal, and wait until another process serves in its place.

        Raises:
            TimeoutError: None does within 30 seconds.
        """
        self._serving[number].clear()
        os.kill(self.pids[number], signal_number)
        await asyncio.wait_for(self._serving[number].wait(), _START_TIMEOUT_S)

    async def _stop(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await self._session.close()

    async def _start(self, number: int) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._cwd,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL if self._quiet else None,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        url = ""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_START_TIMEOUT_S):
                    url = await self._ready_url(process.stdout)
        finally:
            if not url:
                await _end(process)
        if not url:
            reason = f"`{PROGRAM} host` shows why" if self._quiet else "its own message is above"
            raise CannotRun(f"instance {number} did not start; {reason}")
        self._urls[number], self.pids[number] = url, process.pid
        self._serving[number].set()
        self._say(f"instance {number} listens on {self._urls[number]}, process {process.pid}")
        return process

    async def _ready_url(self, results: asyncio.StreamReader) -> str:
        """Return where an instance listens, once it is ready; empty if it ended before."""
        found = _READY.fullmatch(await results.readline())
        url = found[1].decode() if found else ""
        while url and self._ready_path:
            with suppress(aiohttp.ClientError):
                async with self._session.get(url + self._ready_path) as answer:
                    if answer.status == 200:
                        break
            await asyncio.sleep(_POLL_S)
        return url

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stderr, flush=True)

    async def _keep(self, number: int, process: asyncio.subprocess.Process) -> None:
        """Replace an instance that ends, for as long as the new one starts."""
        try:
            while True:
                code = await process.wait()
                del self._urls[number], self.pids[number]
                self._say(f"instance {number} ended (exit code {code}) and is replaced")
                process = await self._start(number)
        finally:
            await _end(process)

    async def _forward(self, request: web.Request) -> web.Response:
        """Send a call to the next instance; of one that does not listen any more, to the one after it."""
        body = await request.read()
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP]
        for _ in range(self.count):
            urls = [*self._urls.values()]
            if not urls:
                break
            url = urls[next(self._turn) % len(urls)]
            try:
                async with self._session.request(
                    request.method, url + request.raw_path, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP]
                    return web.Response(status=answer.status, body=await answer.read(), headers=dict(kept))
            except aiohttp.ClientConnectorError:
                continue
            except aiohttp.ClientError:  # the instance ended, and the call with it: the connection breaks
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
        return web.Response(status=503)


def serve_instances(app: AppFolder, number: int, environment: Mapping[str, str], port: int) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    Raises:
        CannotRun: As in `Instances`.
    """
    return asyncio.run(_serve_until_stopped(app, number, environment, port))


async def _serve_until_stopped(app: AppFolder, number: int, environment: Mapping[str, str], port: int) -> int:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with Instances(app, number, environment, port=port) as instances:
        print(f"listening on {instances.url}", flush=True)
        await stop.wait()
    return 0


def _raise_first(results: Iterable[object]) -> None:
    for failure in results:
        if isinstance(failure, BaseException):
            raise failure


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()

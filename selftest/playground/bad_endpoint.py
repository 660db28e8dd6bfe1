"""A stand-in for the endpoint that answers badly: for each code the reply that leads to it, over a real connection.

The replies are the samples that ``explain`` shows, so what is played is what is documented. It listens on the loopback
interface and reads nothing of what it is sent.
"""

import asyncio
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from selftest.downstream import wire
from selftest.judge.codes import ReplySample
from selftest.playground.faults import TROUBLES

_HOST: Final = "127.0.0.1"
_SHUTDOWN_TIMEOUT_S: Final = 0.1


class BadEndpoint:
    """The stand-in; an async context manager that listens while it is entered."""

    def __init__(self) -> None:
        self._port = 0
        self._over = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def url(self, code: int) -> str:
        """Give the address that leads to a code."""
        return f"http://{_HOST}:{self._port}/{code}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.post("/{code}", self._answer)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, 0).start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        trouble = TROUBLES.get(f"reply:{request.match_info['code']}")
        if trouble is None or trouble.sample is None:
            return web.Response(status=404)
        await request.read()
        match trouble.sample.failure:
            case "timeout":
                await self._over.wait()
                return wire.reset(request)
            case "connection":
                return wire.reset(request)
            case "protocol":
                return wire.truncate(request, b'{"data": {"actions": []}}')
        return _written(trouble.sample)


def _written(sample: ReplySample) -> web.Response:
    answer = web.Response(status=sample.status or 200, body=sample.body_bytes())
    # aiohttp adds one of its own where there is none.
    answer.headers["Content-Type"] = sample.content_type or ""
    return answer

"""A substitute endpoint that responds badly: for each code the reply that leads to it, over a real connection.

The replies are the samples that ``explain`` shows. The server listens on the loopback interface and ignores the
contents of requests.
"""

import asyncio
from typing import Self

from aiohttp import web

from selftest.base.serve import HOST, serve
from selftest.downstream import wire
from selftest.judge.codes import ReplySample
from selftest.playground.faults import FAULT_OPTIONS


class BadEndpoint:
    """The substitute; an async context manager that listens while it is entered."""

    def __init__(self) -> None:
        self._port = 0
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def url(self, code: int) -> str:
        """Return the URL whose reply leads to a code."""
        return f"http://{HOST}:{self._port}/{code}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.post("/{code}", self._respond)])
        self._runner, self._port = await serve(app, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        option = FAULT_OPTIONS.get(f"reply:{request.match_info['code']}")
        if option is None or option.sample is None:
            return web.Response(status=404)
        await request.read()
        match option.sample.failure:
            case "timeout":
                await self._closing.wait()
                return wire.reset(request)
            case "connection":
                return wire.reset(request)
            case "protocol":
                return wire.truncate(request, b'{"data": {"actions": []}}')
        return _response(option.sample)


def _response(sample: ReplySample) -> web.Response:
    response = web.Response(status=sample.status or 200, body=sample.body_bytes())
    # aiohttp adds a default where the header is missing.
    response.headers["Content-Type"] = sample.content_type or ""
    return response

"""An HTTP API on this machine that answers as a test configures it, and remembers what it was asked."""

import asyncio
import json
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Self

from aiohttp import web

from selftest.base.serve import HOST, serve
from selftest.downstream.faults import FAULTS, Fault
from selftest.downstream.respond import respond
from selftest.testing.loop_thread import LoopThread

_MAX_KEPT: Final = 10_000
#: What the API can do instead of answering: the faults of the emulated downstream that are its own.
API_FAULTS: Final[Mapping[str, Fault]] = {
    name: fault for name, fault in FAULTS.items() if fault.place == "api" and fault.manner != "refuse-known"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request that the API got.

    Attributes:
        path: Without the query, decoded.
        headers: By their names in lower case.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class _Rule:
    """What is answered where, and how often still; None is without end."""

    path: str
    fault: Fault
    times: int | None


class LoopbackApi:
    """The API; a context manager that listens while it is entered.

    The answer that was configured last comes first. If it is for some requests only, the one before it follows. A
    request without a configured answer gets 501.

    Attributes:
        url: Where it listens, without a slash at the end.
        requests: What it was asked, oldest first; the last 10,000 are kept.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: deque[ApiRequest] = deque(maxlen=_MAX_KEPT)
        self._rules: list[_Rule] = []
        self._over = asyncio.Event()
        self._loop: LoopThread
        self._runner: web.AppRunner

    def answers(
        self,
        document: object,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        path: str = "*",
        after_s: float = 0.0,
        times: int | None = None,
    ) -> None:
        """Answer with a document from now on.

        Args:
            document: Sent as JSON; bytes are sent as they are.
            status: The HTTP status.
            headers: Added to the response.
            path: The path of the requests that get this answer: ``*`` stands for any characters, also ``/``.
            after_s: How long the answer takes, in seconds.
            times: For how many requests; None for all.
        """
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        more = tuple((headers or {}).items())
        answer = Fault(name="answer", says="", status=status, headers=more, body=body, delay_s=after_s)
        self._rules.insert(0, _Rule(path, answer, times))

    def fails(self, fault: str, *, path: str = "*", times: int | None = None) -> None:
        """Fail from now on.

        Args:
            fault: A name in `API_FAULTS`, as in ``error`` (500), ``hang``, ``slowness`` (2.5 s), ``malformed``.
            path: See `answers`.
            times: See `answers`.

        Raises:
            ValueError: There is no such fault; the message lists them.
        """
        if fault not in API_FAULTS:
            raise ValueError(f"unknown fault {fault!r}; the known ones are {', '.join(API_FAULTS)}")
        self._rules.insert(0, _Rule(path, API_FAULTS[fault], times))

    def forget(self) -> None:
        """Forget what was configured and what was asked, and end the requests that hang."""
        self._rules.clear()
        self.requests.clear()
        self._loop.run(self._end_waiting())

    def __enter__(self) -> Self:
        self._loop = LoopThread()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner, port = self._loop.run(serve(app, 0))
        self.url = f"http://{HOST}:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._close())
        self._loop.close()

    async def _end_waiting(self) -> None:
        self._over.set()
        self._over = asyncio.Event()

    async def _close(self) -> None:
        self._over.set()
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        self.requests.append(
            ApiRequest(method=request.method, path=request.path, query=request.query, headers=headers, body=body)
        )
        rule = next((rule for rule in self._rules if rule.times != 0 and fnmatchcase(request.path, rule.path)), None)
        if rule is None:
            missing = {"error": f"no answer is configured for {request.method} {request.path}"}
            return web.json_response(missing, status=501)
        if rule.times is not None:
            rule.times -= 1
        return await respond(request, rule.fault, _good, over=self._over, sleep=asyncio.sleep, rng=random.random)


def _good(_: web.Request) -> web.Response:
    return web.json_response({})

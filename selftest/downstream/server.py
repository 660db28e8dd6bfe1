"""The emulated downstream as an HTTP server on the loopback interface.

It serves the profile API, a small Graph and the managed identity on one port, counts every request, and plays one
`Fault` at a time. The faults of the signing keys are the emulated Entra's to play.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from selftest.base.serve import HOST, serve
from selftest.downstream import graph, wire
from selftest.downstream.faults import Fault
from selftest.downstream.identity import IdentityRequestError, ManagedIdentity

SCOPE: Final = "api://profile/.default"


type _Make = Callable[[web.Request], web.Response]


class DownstreamServer:
    """What the endpoint depends on; an async context manager that listens while it is entered.

    Args:
        port: where to listen on 127.0.0.1; 0 takes a free port.
        clock: wall-clock seconds since the epoch, for tokens.
        rng: returns 0 to 1, for jitter.
        sleep: waits, where a fault takes its time.

    Attributes:
        identity: the managed identity.
        hits: requests by kind, ``profile``, ``graph``, ``identity``, since the fault began.
        asked_about: requests to the profile API by user, ever.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        rng: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.identity = ManagedIdentity(clock)
        self.hits: Counter[str] = Counter()
        self.asked_about: Counter[str] = Counter()
        self._port = port
        self._rng = rng
        self._sleep = sleep
        self._fault: Fault | None = None
        self._over = asyncio.Event()
        self._served = 0
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """Give scheme, host and port, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    def settings(self) -> dict[str, str]:
        """Give the settings with which the ``profile_api`` provider asks this server."""
        return {
            "Claims__Provider": "profile_api",
            "Claims__ProfileApi__Url": f"{self.base_url}/profile",
            "Claims__ProfileApi__Scope": SCOPE,
            "Claims__Credential": "managed-identity",
            "IDENTITY_ENDPOINT": f"{self.base_url}/msi/token",
            "IDENTITY_HEADER": self.identity.secret,
        }

    @property
    def fault(self) -> Fault | None:
        """Give the fault that is being played."""
        return self._fault

    @contextmanager
    def playing(self, fault: Fault) -> Iterator[None]:
        """Play a fault, counting from zero; at the end whoever waits in it loses the connection.

        Raises:
            RuntimeError: Another one is being played.
        """
        if self._fault is not None:
            raise RuntimeError(f"the fault {self._fault.name} is being played; one at a time")
        if fault.manner == "refuse-known":
            self.identity.withdraw_all()
        self.hits.clear()
        self._fault, self._over = fault, asyncio.Event()
        try:
            yield
        finally:
            self._fault = None
            self._over.set()

    async def __aenter__(self) -> Self:
        self._runner, self._port = await serve(self._app(), self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/profile/{user_id}", self._profile),
                web.get("/v1.0/{path:.+}", self._graph),
                web.get("/msi/token", self._token),
            ]
        )
        return app

    async def _profile(self, request: web.Request) -> web.StreamResponse:
        user_id = request.match_info["user_id"]
        self.hits["profile"] += 1
        self.asked_about[user_id] += 1
        self._served += 1
        profile = {
            "ProfileId": user_id,
            "CustomRoles": ["Reader", "Seller"],
            # No two answers are alike, so that an old one is known for what it is.
            "ProfileVersion": str(self._served),
        }
        return await self._authorised(request, lambda _: web.json_response(profile))

    async def _graph(self, request: web.Request) -> web.StreamResponse:
        self.hits["graph"] += 1
        found = graph.document(f"/{request.match_info['path']}", request.query, f"{self.base_url}/v1.0")
        missing = {"error": {"code": "Request_ResourceNotFound", "message": "no such resource"}}
        return await self._authorised(
            request,
            lambda _: web.json_response(missing if found is None else found, status=404 if found is None else 200),
        )

    async def _authorised(self, request: web.Request, make: _Make) -> web.StreamResponse:
        fault = self._at("api")
        if fault is not None and fault.manner in {"hang", "reset"}:
            return await self._played(request, fault, make)
        if not self.identity.accepts(request.headers.get("Authorization")):
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return web.json_response({"error": {"code": "invalid_token"}}, status=401, headers=challenge)
        return make(request) if fault is None else await self._played(request, fault, make)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.hits["identity"] += 1
        fault = self._at("identity")
        expired = fault is not None and fault.manner == "expired"
        return await self._played(request, fault, lambda asked: self._issue(asked, expired=expired))

    def _issue(self, request: web.Request, *, expired: bool) -> web.Response:
        try:
            issued: dict[str, Any] = dict(
                self.identity.issue(request.query, request.headers.get("X-IDENTITY-HEADER"), expired=expired)
            )
        except IdentityRequestError as error:
            return web.json_response({"statusCode": error.status, "message": str(error)}, status=error.status)
        return web.json_response(issued)

    def _at(self, place: str) -> Fault | None:
        return self._fault if self._fault is not None and self._fault.place == place else None

    async def _played(self, request: web.Request, fault: Fault | None, make: _Make) -> web.StreamResponse:
        """Give the good answer, as the fault spoils it."""
        if fault is None:
            return make(request)
        if fault.delay_s or fault.jitter_s:
            await self._sleep(fault.delay_s + fault.jitter_s * self._rng())
        match fault.manner:
            case "hang":
                await self._over.wait()
                return wire.reset(request)
            case "reset":
                return wire.reset(request)
            case "trickle":
                return await wire.trickle(request, _bytes(make(request)), self._sleep)
            case "truncate":
                return wire.truncate(request, _bytes(make(request)))
        answer = make(request) if fault.status is None else web.Response(status=fault.status)
        if fault.body is not None:
            answer.body = fault.body
            answer.content_type = "application/json"
        answer.headers.extend(fault.headers)
        return answer


def _bytes(answer: web.Response) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b""

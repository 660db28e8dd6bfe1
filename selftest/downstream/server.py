"""The emulated downstream as an HTTP server on the loopback interface.

It serves the profile API, a small Graph and the managed identity on one port, counts every request, and injects one
`Fault` at a time. The emulated Entra implements the faults of the signing keys. It has no route that changes its
state; a request of a web page is refused before it is counted.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, Self

from aiohttp import web

from selftest.base.loopback import is_from_web_page
from selftest.base.serve import HOST, serve
from selftest.downstream.faults import Fault
from selftest.downstream.graph import graph_document
from selftest.downstream.identity import IdentityRequestError, ManagedIdentity
from selftest.downstream.respond import respond

SCOPE: Final = "api://profile/.default"

type _Make = Callable[[web.Request], web.Response]


class DownstreamServer:
    """The endpoint's dependencies; an async context manager that listens while it is entered.

    Args:
        port: The port on 127.0.0.1; 0 takes a free port.
        rng: Returns a random number from 0 to 1, for jitter.

    Attributes:
        identity: The managed identity.
        hits: Requests by kind, ``profile``, ``graph``, ``identity``, since the fault began.
        asked_about: All requests to the profile API by user.
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
        """Return scheme, host and port, without a trailing slash."""
        return f"http://{HOST}:{self._port}"

    def settings(self) -> dict[str, str]:
        """Return the settings with which the ``profile_api`` provider calls this server."""
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
        """Return the current fault; None without one."""
        return self._fault

    @contextmanager
    def playing(self, fault: Fault) -> Iterator[None]:
        """Inject a fault and reset ``hits``; at the end the connections of waiting clients are reset.

        Raises:
            RuntimeError: Another fault is active.
        """
        if self._fault is not None:
            raise RuntimeError(f"the fault {self._fault.name} is active; only one at a time")
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

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[_no_web_pages])
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
            # No two responses are equal, so that an old one can be recognized.
            "ProfileVersion": str(self._served),
        }
        return await self._authorized(request, lambda _: web.json_response(profile))

    async def _graph(self, request: web.Request) -> web.StreamResponse:
        self.hits["graph"] += 1
        found = graph_document(f"/{request.match_info['path']}", request.query, f"{self.base_url}/v1.0")
        missing = {"error": {"code": "Request_ResourceNotFound", "message": "no such resource"}}
        return await self._authorized(
            request,
            lambda _: web.json_response(missing if found is None else found, status=404 if found is None else 200),
        )

    async def _authorized(self, request: web.Request, make: _Make) -> web.StreamResponse:
        fault = self._fault_at("api")
        if fault is not None and fault.manner in {"hang", "reset"}:
            return await self._faulty(request, fault, make)
        if not self.identity.accepts(request.headers.get("Authorization")):
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return web.json_response({"error": {"code": "invalid_token"}}, status=401, headers=challenge)
        return make(request) if fault is None else await self._faulty(request, fault, make)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.hits["identity"] += 1
        fault = self._fault_at("identity")
        expired = fault is not None and fault.manner == "expired"
        return await self._faulty(request, fault, lambda sent: self._issue(sent, expired=expired))

    def _issue(self, request: web.Request, *, expired: bool) -> web.Response:
        try:
            issued = self.identity.issue(request.query, request.headers.get("X-IDENTITY-HEADER"), expired=expired)
        except IdentityRequestError as error:
            return web.json_response({"statusCode": error.status, "message": str(error)}, status=error.status)
        return web.json_response(issued)

    def _fault_at(self, place: str) -> Fault | None:
        return self._fault if self._fault is not None and self._fault.place == place else None

    async def _faulty(self, request: web.Request, fault: Fault | None, make: _Make) -> web.StreamResponse:
        return await respond(request, fault, make, over=self._over, sleep=self._sleep, rng=self._rng)


@web.middleware
async def _no_web_pages(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    return web.Response(status=403) if is_from_web_page(request.headers) else await handler(request)

"""What the providers' tests stand on: an event, tokens of a fetch that counts, a JSON API that does what it is told."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import replace

from aiohttp import web
from aiohttp.test_utils import TestServer

from claims.downstream.issued_token import DownstreamToken
from claims.downstream.token_cache import DownstreamTokenCache
from claims.event import TokenIssuanceStart, parse_event
from claims.measurements import Measurements
from claims.provider import ProviderContext
from tests.claims.site import good_event

SCOPE = "api://profile/.default"
EVENT = parse_event(json.dumps(good_event()).encode())
USER_ID = "77777777-7777-4777-8777-777777777777"
APP_ID = "88888888-8888-4888-8888-888888888888"
WITHOUT_USER = replace(EVENT, context=replace(EVENT.context, user=None))
WITHOUT_APPLICATION = replace(EVENT, context=replace(EVENT.context, resource_service_principal=None))


def new_measurements() -> Measurements:
    """Return measurements of a request with a budget of two seconds."""
    return Measurements(budget_ms=2000, clock=time.monotonic)


def context_of(measured: Measurements) -> ProviderContext:
    """Return a context as the endpoint creates it."""
    return ProviderContext(
        remaining_s=measured.remaining_s, phase=measured.provider_phase, cache_hit=measured.cache_hit
    )


def some_context() -> ProviderContext:
    """Return a context whose measurements are not read."""
    return context_of(new_measurements())


class Issuer:
    """Issues a token that differs each time: ``<scope>#1``, ``<scope>#2``, ..."""

    def __init__(self) -> None:
        self.issued = 0

    async def __call__(self, scope: str) -> DownstreamToken:
        self.issued += 1
        return DownstreamToken(f"{scope}#{self.issued}", expires_on_s=time.time() + 3600)


@asynccontextmanager
async def cache_of(issuer: Issuer, scope: str = SCOPE) -> AsyncIterator[DownstreamTokenCache]:
    """A token cache in front of an issuer."""
    tokens = DownstreamTokenCache(scope, issuer, clock=time.time, sleep=asyncio.sleep, rng=random.random)
    try:
        yield tokens
    finally:
        await tokens.aclose()


type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """An HTTP API on loopback: answers as ``answer`` says and keeps the requests."""

    def __init__(self) -> None:
        self.answer: Answer = respond({})
        self.requests: list[web.Request] = []
        self.url = ""

    @property
    def tokens_seen(self) -> list[str]:
        """The bearer tokens that came, in order; empty where none did."""
        return [request.headers.get("authorization", "").removeprefix("Bearer ") for request in self.requests]

    @property
    def connections(self) -> int:
        """How many connections the requests came over."""
        return len({id(request.protocol) for request in self.requests})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Keep the request and answer it."""
        self.requests.append(request)
        return await self.answer(request)


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[Api]:
    """Serve an API on a free loopback port."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", api.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        api.url = str(server.make_url("/profile")).rstrip("/")
        yield api


def respond(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer with JSON, or with bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=data, status=status, headers=headers, content_type="application/json")

    return answer


async def broken(request: web.Request) -> web.StreamResponse:
    """No answer: the connection is cut."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hanging(_request: web.Request) -> web.StreamResponse:
    """No answer for half a minute."""
    await asyncio.sleep(30)
    return web.Response()


def in_turn(*answers: Answer) -> Answer:
    """Each answer once, the last one from then on."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


def event_for(user_id: str) -> TokenIssuanceStart:
    """The event of another user."""
    assert EVENT.context.user is not None
    return replace(EVENT, context=replace(EVENT.context, user=replace(EVENT.context.user, id=user_id)))

"""The environment of a check: the endpoint, the emulated tenant, and what the harness controls of them.

Locally the emulated Entra signs tokens that the endpoint accepts. For a deployed endpoint it cannot, so that only
checks run that need no accepted token, unless a real token is given.
"""

import asyncio
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, Self

import aiohttp

from selftest.base.endpoint_url import CALLOUT_PATH, health_url
from selftest.base.sample_tenant import Tenant
from selftest.checks.bench.probe import RawRequest, RawResponse, send
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.bench.redis_server import RedisServer
from selftest.checks.bench.variant import AppVariant
from selftest.downstream.server import DownstreamServer
from selftest.entra.key_fetches import KeyFetches
from selftest.entra.payloads import variety
from selftest.entra.server import EntraServer
from selftest.entra.token_mint import EntraVersion
from selftest.host.instances import Instances
from selftest.judge.app_line import AppLine
from selftest.report.load_result import LoadResult

#: A callout's JSON.
type EventJson = dict[str, Any]

#: What a check may need: a token that the endpoint accepts; the signing key that the endpoint trusts; the app as a
#: process of the harness; a log to read; an app that calls the emulated downstream; an app that has a module in
#: ``claims/providers/`` and that the harness starts with the settings of a variant; a load that was run; cold starts; a
#: soak, step or spike profile; several instances; ``redis-server``, and its client in the app's Python.
type CheckNeed = Literal[
    "token",
    "issuer",
    "app",
    "log",
    "downstream",
    "provider",
    "load",
    "cold",
    "soak",
    "step",
    "spike",
    "instances",
    "redis-server",
    "redis-client",
]


#: The check of the valid call, from whose failure everything else follows.
GOOD_CALL: Final = "C01"
#: The needs that are a profile of load.
PROFILES: Final[frozenset[CheckNeed]] = frozenset({"soak", "step", "spike"})
#: The needs that the harness starts for a variant, where it can.
STARTABLE: Final[frozenset[CheckNeed]] = frozenset({"instances", "redis-server", "redis-client"})
#: The needs of checks that are played only when they are asked for.
ON_REQUEST: Final = PROFILES | {"instances"}


@dataclass(frozen=True, slots=True)
class GoodCallRefusal:
    """Why the endpoint refuses the valid call.

    Attributes:
        reason: What came.
        fix: What to do.
        curl: A command that repeats the call without its token.
        check_id: The check that reports this refusal: that of the valid call or, if the endpoint stopped during the
            run, the one whose request it did not answer.
        app_lines: What the app's log says about it.
        answer: Who answered, and the start of the body.
        status: The HTTP status; None without a whole response.
    """

    reason: str
    fix: str
    curl: str
    check_id: str = GOOD_CALL
    status: int | None = None
    app_lines: tuple[AppLine, ...] = ()
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckEnvironment:
    """The endpoint under test and everything that checks need to test it.

    Attributes:
        url: The URL of the callout.
        health_url: The URL of the health endpoint.
        trusted: Whether the endpoint accepts tokens that ``entra`` signs.
        version: The version of the tokens that the endpoint takes.
        refusal: Why it takes none; None if it takes them.
        real_token: A token for a deployed endpoint that Entra issued.
        log: Returns the app's log lines so far; None if there is no log to read.
        runs_app: Whether the harness runs the app, if there is a log.
        app_dir: The folder of the app that the harness runs; None for an endpoint elsewhere.
        peak_growth: Starts to watch the memory of the app's process and returns a function that returns the growth in
            kB, or None if the system does not report it. None if the harness does not run the app.
        log_wait_s: How long a line may take from the app to the log, in seconds.
        fetches: The record of the endpoint's requests for keys.
        malformed_keys: Whether malformed keys may be published while the endpoint runs.
        downstream: The emulated downstream of the app's provider; None if there is none.
        variant: The settings of the app; None for the usual ones.
        provider: What ``Claims__Provider`` names; None if the command names none, or the app has no such module.
        startable: Which of `STARTABLE` the harness can start here.
        instances: The instances of the app, if it has several.
        redis: The Redis that they share; None without one.
        load: The result of a load run; None if there was none.
        clock: Returns Unix time in seconds.
        sleep: Waits, in seconds of ``clock``.
        stopwatch: Returns monotonic seconds, for latencies.
        new_id: Returns a new correlation id.
        say: Prints a line for the person who waits.
        countdown: Shows for how many seconds a check still waits.
    """

    url: str
    health_url: str
    session: aiohttp.ClientSession
    tenant: Tenant
    entra: EntraServer
    trusted: bool = True
    version: EntraVersion = "2.0"
    refusal: GoodCallRefusal | None = None
    real_token: str | None = field(default=None, repr=False)
    log: Callable[[], Sequence[str]] | None = None
    runs_app: bool = True
    app_dir: Path | None = None
    peak_growth: Callable[[], Callable[[], int | None]] | None = None
    log_wait_s: float = 1.0
    fetches: KeyFetches = field(default_factory=KeyFetches)
    malformed_keys: bool = False
    downstream: DownstreamServer | None = None
    variant: AppVariant | None = None
    provider: str | None = None
    startable: frozenset[CheckNeed] = frozenset()
    instances: Instances | None = None
    redis: RedisServer | None = None
    load: LoadResult | None = None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    stopwatch: Callable[[], float] = time.perf_counter
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr)
    countdown: Callable[[float], None] = lambda _: None

    @property
    def have(self) -> frozenset[CheckNeed]:
        """Return the needs that this environment satisfies."""
        held: dict[CheckNeed, bool] = {
            "token": self.trusted or self.real_token is not None,
            "issuer": self.trusted,
            "app": self.log is not None and self.runs_app,
            "log": self.log is not None,
            "downstream": self.downstream is not None and self.variant is not None,
            "provider": self.provider is not None and self.variant is not None,
            "load": self.load is not None,
            "cold": self.load is not None and bool(self.load.cold_starts),
        }
        if self.load is not None and self.load.config.profile != "load":
            held[self.load.config.profile] = True
        return self.startable.union(need for need, is_held in held.items() if is_held)

    def at(self, base_url: str) -> Self:
        """Return the environment of an app of this project that listens there."""
        url = base_url + CALLOUT_PATH
        return replace(self, url=url, health_url=health_url(url))

    def good_token(self) -> str:
        """Return a token that the endpoint must accept.

        Raises:
            LookupError: The endpoint trusts another issuer and there is no real token.
        """
        if self.trusted:
            return self.entra.mint.callout_token(self.version)
        if self.real_token is None:
            raise LookupError("the endpoint trusts another issuer; pass a real token with --token-file")
        return self.real_token

    def event(self, correlation_id: str | None = None, *, of: str = "member") -> EventJson:
        """Return a documented event for this tenant."""
        return variety(of).build(self.tenant, correlation_id or self.new_id())

    def request(self, token: str | None = None, event: object = None) -> RawRequest:
        """Return the request that Entra would send; without a token, one without the header."""
        authorization = () if token is None else (("Authorization", f"Bearer {token}"),)
        body = event if isinstance(event, bytes) else encode(self.event() if event is None else event)
        return RawRequest(url=self.url, headers=(*authorization, ("Content-Type", "application/json")), body=body)

    def good_request(self, event: object = None) -> RawRequest:
        """Return a request that must be answered 200.

        Raises:
            LookupError: See `good_token`.
        """
        return self.request(self.good_token(), event)

    def control(self) -> RawRequest | None:
        """Return a request that must be answered 200, or None if there is no valid token."""
        return self.good_request() if "token" in self.have else None

    async def send(self, request: RawRequest) -> RawResponse:
        """Send one request."""
        return await send(self.session, request, clock=self.stopwatch)


#: Starts an app with other settings, with its own tenant and downstream.
type OpenVariant = Callable[[AppVariant], AbstractAsyncContextManager[CheckEnvironment]]

"""What a check works with: the endpoint, the tenant that is played, and what of it we hold.

Two situations exist. Locally the emulated Entra signs tokens that the endpoint believes. Against a deployed
endpoint it cannot, so there only what needs no believed token runs, unless a real token is given.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import aiohttp

from selftest.base.sample_tenant import Tenant
from selftest.checks.bench.probe import RawRequest, RawResponse, send
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.bench.variant import AppVariant
from selftest.downstream.server import DownstreamServer
from selftest.entra.payloads import variety
from selftest.entra.server import EntraServer
from selftest.report.load_result import LoadResult

#: A callout's JSON.
type EventJson = dict[str, Any]

#: What a check cannot do without: a token that the endpoint accepts; the signing key that the endpoint trusts;
#: the app as our own process, with its log; an app that has not yet been shown a key id it does not know; an app that
#: asks the emulated downstream; a load that was played; a soak, a step or a spike profile of it.
type CheckNeed = Literal["token", "issuer", "app", "fresh", "downstream", "load", "cold", "soak", "step", "spike"]


#: Those of the needs that are a profile of load.
PROFILES: Final[frozenset[CheckNeed]] = frozenset({"soak", "step", "spike"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckEnvironment:
    """The endpoint under test and the means to test it.

    Attributes:
        url: Where events are posted to.
        health_url: Where the endpoint tells whether it is ready.
        trusted: Whether the endpoint believes tokens that ``entra`` signs.
        real_token: A token that Entra itself issued for the endpoint, for a deployed one.
        log: The app's log lines so far; None when the app is not our process.
        peak_growth: Starts to watch the memory of the app's process; what it returns says by how many kB it grew, None
            where the system does not say. None when the app is not our process.
        log_wait_s: How long a line may take from the app to the log, in seconds.
        fresh: Whether the app has been shown no unknown key id in the last minutes.
        downstream: What the app's provider asks; None where that is not ours.
        variant: The settings that the app runs with, where they are not the usual ones.
        load: What a load run found; None where none was played.
        clock: Unix time in seconds.
        sleep: Waits, in the seconds of ``clock``.
        stopwatch: Monotonic seconds, for latencies.
        new_id: A new correlation id.
    """

    url: str
    health_url: str
    session: aiohttp.ClientSession
    tenant: Tenant
    entra: EntraServer
    trusted: bool = True
    real_token: str | None = field(default=None, repr=False)
    log: Callable[[], Sequence[str]] | None = None
    peak_growth: Callable[[], Callable[[], int | None]] | None = None
    log_wait_s: float = 1.0
    fresh: bool = True
    downstream: DownstreamServer | None = None
    variant: AppVariant | None = None
    load: LoadResult | None = None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    stopwatch: Callable[[], float] = time.perf_counter
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())

    @property
    def have(self) -> frozenset[CheckNeed]:
        """List what checks may need and this bench has."""
        held: dict[CheckNeed, bool] = {
            "token": self.trusted or self.real_token is not None,
            "issuer": self.trusted,
            "app": self.log is not None,
            "fresh": self.fresh and self.trusted,
            "downstream": self.downstream is not None and self.variant is not None,
            "load": self.load is not None,
            "cold": self.load is not None and bool(self.load.cold_starts),
        }
        if self.load is not None and self.load.config.profile != "load":
            held[self.load.config.profile] = True
        return frozenset(need for need, is_held in held.items() if is_held)

    def good_token(self) -> str:
        """Give a token that the endpoint must believe.

        Raises:
            LookupError: The endpoint trusts another issuer and no real token was given.
        """
        if self.trusted:
            return self.entra.mint.callout_token()
        if self.real_token is None:
            raise LookupError("the endpoint trusts another issuer; give a real token with --token-file")
        return self.real_token

    def event(self, correlation_id: str | None = None, *, of: str = "member") -> EventJson:
        """Build a documented event for this tenant."""
        return variety(of).build(self.tenant, correlation_id or self.new_id())

    def request(self, token: str | None = None, event: object = None) -> RawRequest:
        """Write the request that Entra would send; without a token, one without the header."""
        authorization = () if token is None else (("Authorization", f"Bearer {token}"),)
        body = event if isinstance(event, bytes) else encode(self.event() if event is None else event)
        return RawRequest(url=self.url, headers=(*authorization, ("Content-Type", "application/json")), body=body)

    def good_request(self, event: object = None) -> RawRequest:
        """Write a request that must be answered 200.

        Raises:
            LookupError: See `good_token`.
        """
        return self.request(self.good_token(), event)

    def control(self) -> RawRequest | None:
        """Write a request that must be answered 200, where a believed token is at hand."""
        return self.good_request() if "token" in self.have else None

    async def send(self, request: RawRequest) -> RawResponse:
        """Send one request."""
        return await send(self.session, request, clock=self.stopwatch)


#: Starts an app with other settings, and a tenant and a downstream of its own.
type OpenVariant = Callable[[AppVariant], AbstractAsyncContextManager[CheckEnvironment]]

"""The setup of a bad day: the emulated Entra, the emulated downstream, one peer, and the load process."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from benchmarks import machine
from benchmarks.load import LoadProcess, LoadResult, SignIns, event
from benchmarks.servers import Peer, serving
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer
from selftest.entra.signing import sign_compact
from selftest.play.target import endpoint_settings

#: Good sign-ins a second. With as many bad ones on top it is still less than half of what the slowest peer sustains on
#: a slow processor: above that a window measures the queue.
RATE: Final = 100.0
#: What the hand-written handler's keys live instead of 300 s, and the pause between its fetches for unknown key ids
#: instead of 30 s: its client offers both. As long as an hour of the aged endpoint.
LIFESPAN_S: Final = 2.0
COOLDOWN_S: Final = 0.2
_WARM_UP_S: Final = 0.5
_SLOW: Final = "51000000-"


class PartlySlowDownstream(DownstreamServer):
    """A downstream that is slow for some users.

    Attributes:
        slow_s: The latency of the profiles of these users, in seconds.
    """

    slow_s = 0.0

    async def _profile(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["user_id"].startswith(_SLOW):
            await asyncio.sleep(self.slow_s)
        return await super()._profile(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadDaySetup:
    """The servers and the load process of a bad day.

    Attributes:
        entra: Its keys roll, hang and fail.
        downstream: Its tokens expire and its responses are slow.
        port: The port of the peer.
    """

    entra: EntraServer
    downstream: PartlySlowDownstream
    load: LoadProcess
    port: int

    async def arrive(self, duration_s: float, *others: SignIns, good: SignIns | None = None) -> LoadResult:
        """Send good sign-ins, with a token of the current key unless given, and others by their weights."""
        kinds = {"good": good or self.good()} | {f"other{index}": other for index, other in enumerate(others)}
        rate = RATE * sum(kind.weight for kind in kinds.values())
        return await self.load.arrive(self.port, kinds, duration_s=duration_s, rate=rate)

    def good(self) -> SignIns:
        """Return good sign-ins."""
        return SignIns.good(self.entra)

    def more(self, weight: float = 1.0) -> SignIns:
        """Return more good sign-ins, for a control with as many arrivals as a bad window has."""
        return SignIns.good(self.entra, weight=weight)

    def slow(self, weight: float) -> SignIns:
        """Return good sign-ins of users for whom the downstream is slow."""
        return SignIns.good(self.entra, user=_SLOW + "0000-4000-8000-000000000000", weight=weight)

    def unknown(self, weight: float) -> SignIns:
        """Return sign-ins with an unpublished key id, which must be refused."""
        header = {**self.entra.mint.header(), "kid": str(uuid.uuid4())}
        token = sign_compact(header, self.entra.mint.claims(), self.entra.keys.current)
        return SignIns(token=token, body=event(self.entra), accepted=False, weight=weight)


@asynccontextmanager
async def bad_day_setup(peer: Peer, *, token_life_s: int | None = None) -> AsyncIterator[BadDaySetup]:
    """Start everything and send the first sign-ins.

    Args:
        peer: The endpoint to measure.
        token_life_s: The lifetime of the first downstream tokens, with claims from the profile API; None for constant
            claims.
    """
    pair = machine.processors()
    if pair:
        os.sched_setaffinity(0, {pair[0]})
    async with AsyncExitStack() as stack:
        load = await stack.enter_async_context(LoadProcess())
        entra = await stack.enter_async_context(EntraServer())
        api = await stack.enter_async_context(PartlySlowDownstream())
        settings: Mapping[str, str] = {
            **endpoint_settings(entra),
            "KEYS_LIFESPAN_S": str(LIFESPAN_S),
            "KEYS_COOLDOWN_S": str(COOLDOWN_S),
            **({} if token_life_s is None else api.settings()),
        }
        if token_life_s is not None:
            api.identity.lifetime_s = token_life_s
        served = await stack.enter_async_context(serving(peer, settings))
        if pair:
            machine.pin(served.pid, pair[1])
        ready = BadDaySetup(entra=entra, downstream=api, load=load, port=served.port)
        await ready.arrive(_WARM_UP_S)
        yield ready

"""The environment of the F checks: the endpoint in this process, the emulated downstream, and faster clocks.

Delays of the downstream run twice as fast and the lifetimes of tokens twenty times as fast, so that checks of late
responses take less time. The endpoint and everything it uses are the real ones.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from unittest import mock

from claims.downstream.api import Downstream
from claims.downstream.credentials import token_source
from claims.downstream.token_cache import DownstreamTokenCache
from claims.endpoint import Endpoint
from claims.providers.profile_api import ProfileApiProvider
from claims.settings.claim_names import ClaimNames
from claims.settings.settings import Settings
from claims.token.keys import SigningKeys
from claims.wire.fetch import HttpGet
from selftest.checks.bench.variant import AppVariant
from selftest.downstream.server import SCOPE, DownstreamServer
from selftest.entra.server import EntraServer
from selftest.play.target import endpoint_settings
from tests.selftest.checks.served_endpoint import ServedEndpoint, serve_endpoint

#: Of the downstream's delays, and of the lives of tokens.
DELAYS, LIVES = 2.0, 20.0
#: A sleep of no time at all would never let a fault be noticed; this is what the loop can still tell apart.
_LEAST_S = 0.001


class FastClock:
    """Clocks and sleeps that run faster."""

    def __init__(self, times: float) -> None:
        self._times = times
        self._zero_s = time.time()

    def clock(self) -> float:
        """Seconds since the epoch."""
        return self._zero_s + (time.time() - self._zero_s) * self._times

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic() * self._times

    async def sleep(self, seconds: float) -> None:
        """Wait for the time, divided by the speed."""
        await asyncio.sleep(max(seconds / self._times, _LEAST_S))


@asynccontextmanager
async def open_with_downstream(variant: AppVariant, *, delays: float = DELAYS) -> AsyncIterator[ServedEndpoint]:
    """Start everything with the settings of a variant, whose budget must fit the faster delays."""
    lives = FastClock(LIVES)
    async with (
        EntraServer() as entra,
        DownstreamServer(clock=lives.clock, sleep=FastClock(delays).sleep) as downstream,
    ):
        environ = {**endpoint_settings(entra), **downstream.settings(), **variant.settings()}
        # azure-identity reads the managed identity's address from the process's environment.
        identity = {name: environ[name] for name in environ if name.startswith("IDENTITY_")}
        with mock.patch.dict(os.environ, identity), variant.in_trouble(entra, downstream):
            endpoint = await _endpoint(environ, lives)
            async with serve_endpoint(entra, endpoint) as served:
                served.env = replace(
                    served.env,
                    downstream=downstream,
                    variant=variant,
                    provider="profile_api",
                    clock=lives.clock,
                    sleep=lives.sleep,
                )
                yield served


async def _endpoint(environ: dict[str, str], lives: FastClock) -> Endpoint:
    """Return the endpoint as it builds itself, except for the clock of the downstream tokens."""
    settings = Settings.from_env(environ)
    tokens = DownstreamTokenCache(
        SCOPE,
        token_source("managed-identity", environ, clock=lives.clock),
        clock=lives.clock,
        sleep=lives.sleep,
        rng=lambda: 1.0,
        monotonic=lives.monotonic,
    )
    url = environ["Claims__ProfileApi__Url"]
    provider = ProfileApiProvider(Downstream(tokens), url, ClaimNames())
    keys = SigningKeys(settings.authorities, HttpGet(), clock=time.monotonic, sleep=asyncio.sleep)
    endpoint = Endpoint(settings, keys, provider)
    provider.start()
    return endpoint

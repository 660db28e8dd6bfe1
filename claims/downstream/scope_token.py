"""The token of one scope: fetched once for everybody, ahead of time, and not again at once after a failure.

One task keeps it fresh for as long as the scope is in use; requests join the fetch under way and never start a second.
Times are measured on the monotonic clock, so a wall clock that is set back lengthens no token's life; a wall clock that
runs ahead (a machine that was suspended) is noticed by the next request.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from claims.downstream.token import (
    DownstreamToken,
    TokenFetchError,
    TokenSource,
    back_off_s,
    refresh_in_s,
    usable_s,
)
from claims.errors import TokenUnavailable

#: One fetch, the imports of the first one included. Longer than any budget: who retries finds it done.
FETCH_TIMEOUT_S: Final = 10.0
#: Between two background fetches, whatever the tokens' lives and the issuer's advice.
MIN_PAUSE_S: Final = 1.0
#: Between two tokens dropped because the downstream refused them: one that refuses every token is no reason to ask the
#: issuer for one with each request.
REFUSAL_COOL_DOWN_S: Final = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Where time and chance come from.

    Attributes:
        clock: wall-clock seconds since the epoch, which tokens' times are in.
        monotonic: seconds that only go forward, for durations.
        sleep: waits, in the background only.
        rng: returns 0 to 1, for the jitter.
    """

    clock: Callable[[], float]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    rng: Callable[[], float]


class ScopeToken:
    """Fetches the token of one scope.

    Args:
        scope: what the token is for.
        fetch: gets a new one.
        keep: stores one that came.
        timing: the clocks.
    """

    def __init__(self, scope: str, fetch: TokenSource, keep: Callable[[DownstreamToken], None], timing: Timing) -> None:
        self.scope = scope
        self._fetch = fetch
        self._keep = keep
        self._timing = timing
        self._failures = 0
        self._due_s = timing.monotonic()
        self._due_wall_s = float("inf")
        self._retry_s = float("-inf")
        self._dropped_s = float("-inf")
        # Started before anybody can wait, so that the first request finds it under way.
        self._flight = asyncio.get_running_loop().create_task(self._run())
        self._keeper = asyncio.get_running_loop().create_task(self._keep_fresh())

    async def wait(self) -> DownstreamToken:
        """Wait for the fetch under way, or for a new one.

        Raises:
            TokenUnavailable: it failed, or one failed so recently that none is started.
        """
        if self._flight.done():
            if self._backing_off():
                left_s = self._retry_s - self._timing.monotonic()
                raise TokenUnavailable("downstream_token_backing_off", f"the next fetch is in {left_s:.1f} s")
            self._start()
        flight = self._flight
        await asyncio.wait({flight})
        if flight.cancelled():
            raise TokenUnavailable("downstream_token_closed", "the endpoint is closing")
        outcome = flight.result()
        if isinstance(outcome, str):
            raise TokenUnavailable("downstream_token_unavailable", outcome)
        return outcome

    def refresh_if_due(self, now_s: float) -> None:
        """Start a refresh in the background when the wall clock says that it is time and the sleeping task does not."""
        if now_s >= self._due_wall_s and not self._backing_off():
            self._start()

    def may_drop(self) -> bool:
        """Say whether a refused token may be dropped now; True counts as a drop."""
        now_s = self._timing.monotonic()
        if now_s - self._dropped_s < REFUSAL_COOL_DOWN_S:
            return False
        self._dropped_s = now_s
        return True

    def stop(self) -> list[asyncio.Task[None] | asyncio.Task[DownstreamToken | str]]:
        """Cancel the background work and return it, for who wants to wait until it has ended."""
        for task in (self._keeper, self._flight):
            task.cancel()
        return [self._keeper, self._flight]

    def _backing_off(self) -> bool:
        return self._timing.monotonic() < self._retry_s

    def _start(self) -> None:
        if self._flight.done():
            self._flight = asyncio.get_running_loop().create_task(self._run())

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.wait({self._flight})
            await self._timing.sleep(max(self._due_s - self._timing.monotonic(), MIN_PAUSE_S))
            # Somebody may have fetched meanwhile.
            if self._due_s <= self._timing.monotonic():
                self._start()

    async def _run(self) -> DownstreamToken | str:
        """Fetch once. The result is the token or why there is none; it never raises."""
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                token = await self._fetch(self.scope)
        except TokenFetchError as error:
            return self._failed(str(error), error.retry_after_s)
        except TimeoutError:
            return self._failed(f"no answer within {FETCH_TIMEOUT_S:g} s")
        except Exception as error:  # noqa: BLE001 (no surprise may end the loop that keeps the token fresh)
            return self._failed(f"unexpected {type(error).__name__}")
        now_s = self._timing.clock()
        if usable_s(token, now_s) <= 0:
            return self._failed("the token that came has expired")
        self._failures, self._retry_s = 0, float("-inf")
        self._plan(refresh_in_s(token, now_s, self._timing.rng()))
        self._due_wall_s = now_s + (self._due_s - self._timing.monotonic())
        self._keep(token)
        return token

    def _failed(self, why: str, retry_after_s: float | None = None) -> str:
        self._failures += 1
        pause_s = back_off_s(self._failures, retry_after_s, self._timing.rng())
        self._plan(pause_s)
        self._retry_s = self._due_s
        _log.warning("no downstream token (%s), next fetch in %.1f s: %s", self.scope, pause_s, why)
        return why

    def _plan(self, pause_s: float) -> None:
        self._due_s = self._timing.monotonic() + pause_s

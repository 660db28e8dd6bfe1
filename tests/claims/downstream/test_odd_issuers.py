"""The token cache against an issuer that returns or raises anything: no state from which it does not recover."""

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.downstream.issued_token import MAX_RETRY_AFTER_S, DownstreamToken, TokenFetchError
from claims.downstream.token_cache import MIN_PAUSE_S, DownstreamTokenCache
from claims.errors import TokenUnavailable
from tests.claims.site import NOW_S

HOUR_S = 3600.0
#: The first back-off with full jitter, and the refresh of the shortest token.
SHORTEST_GAP_S = 0.5


@dataclass
class OddIssuer:
    """An issuer and both clocks in simulated time.

    Attributes:
        outcomes: What the next fetches return or raise; afterwards every fetch returns a token for an hour.
        fetched_s: When each fetch began, in simulated seconds.
        slept_s: How long the keeper slept each time.
    """

    outcomes: list[object]
    fetched_s: list[float] = field(default_factory=list)
    slept_s: list[float] = field(default_factory=list)
    now_s: float = 0.0
    _sleepers: list[tuple[float, asyncio.Event]] = field(default_factory=list)

    async def fetch(self, scope: str) -> Any:
        assert scope == "s"
        self.fetched_s.append(self.now_s)
        await asyncio.sleep(0)
        outcome = self.outcomes.pop(0) if self.outcomes else DownstreamToken("good", self.wall_s() + HOUR_S)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def wall_s(self) -> float:
        return NOW_S + self.now_s

    async def sleep(self, seconds: float) -> None:
        """Wait in simulated time."""
        self.slept_s.append(seconds)
        awake = asyncio.Event()
        self._sleepers.append((self.now_s + seconds, awake))
        await awake.wait()

    async def tick(self, seconds: float) -> None:
        """Let every task run until it waits, then let time pass, and let them run again."""
        await _settle()
        self.now_s += seconds
        for due_s, awake in self._sleepers:
            if due_s <= self.now_s:
                awake.set()
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self.now_s]
        await _settle()

    def cache(self) -> DownstreamTokenCache:
        return DownstreamTokenCache(
            "s", self.fetch, clock=self.wall_s, sleep=self.sleep, rng=lambda: 1.0, monotonic=lambda: self.now_s
        )


ODD_NUMBERS = [math.nan, math.inf, -math.inf, -1, 0, 1e308, 10**400, -(10**400), (NOW_S + HOUR_S) * 1000, True]
odd_times: st.SearchStrategy[Any] = (
    st.sampled_from([*ODD_NUMBERS, None, "1800003600", b"1", [], {}]) | st.floats() | st.integers()
)
times = st.floats(NOW_S - 10, NOW_S + 25 * HOUR_S) | odd_times
texts = st.text(max_size=3) | st.sampled_from(["good", None, 7, b"good", "g" * 70_000, "a\r\nb", "ä"])
errors = st.builds(
    TokenFetchError, st.sampled_from(["down", "x" * 5000, ""]), retry_after_s=odd_times | st.floats(0, 500)
)
surprises = st.sampled_from([ZeroDivisionError, SystemExit, asyncio.CancelledError, TimeoutError]).map(
    lambda kind: kind()
)
outcomes = st.builds(DownstreamToken, texts, times, times) | errors | surprises | st.none() | st.text(max_size=3)


@given(
    outcomes=st.lists(outcomes, max_size=8),
    pauses_s=st.lists(st.sampled_from([0.1, 0.5, 1, 5, 10, 60, HOUR_S]), max_size=12),
)
def test_recovers_from_any_answer(outcomes: list[object], pauses_s: list[float]) -> None:
    """Every request gets a valid token or the reason why not, the issuer is not flooded, and a later answer counts."""

    async def run() -> None:
        issuer = OddIssuer(outcomes)
        cache = issuer.cache()
        for pause_s in pauses_s:
            for result in await asyncio.gather(*(cache.token() for _ in range(3)), return_exceptions=True):
                _check(result, issuer.wall_s())
            await issuer.tick(pause_s)
        outcomes.clear()
        await issuer.tick(MAX_RETRY_AFTER_S)
        _check(await cache.token(), issuer.wall_s())
        fetches = len(issuer.fetched_s)
        await issuer.tick(26 * HOUR_S)
        assert len(issuer.fetched_s) == fetches + 1, "the keeper refreshes without any request"
        gaps_s = [after_s - before_s for before_s, after_s in zip(issuer.fetched_s, issuer.fetched_s[1:], strict=False)]
        assert min(gaps_s, default=1) >= SHORTEST_GAP_S - 1e-6
        assert all(MIN_PAUSE_S <= pause_s < math.inf for pause_s in issuer.slept_s)
        await cache.aclose()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def _check(result: DownstreamToken | BaseException, wall_s: float) -> None:
    if isinstance(result, DownstreamToken):
        assert result.token
        assert wall_s < result.expires_on_s < math.inf
        assert result.refresh_on_s is None or math.isfinite(result.refresh_on_s)
    else:
        assert isinstance(result, TokenUnavailable)
        assert len(result.detail) <= 300


@pytest.mark.parametrize("expires_on_s", [*ODD_NUMBERS, None, "soon"], ids=lambda value: str(value)[:9])
async def test_odd_expiry_is_a_failure_with_a_reason(expires_on_s: Any) -> None:
    """The request that suffers says what is wrong, while the fetch fails and while it is backed off."""
    issuer = OddIssuer([DownstreamToken("t", expires_on_s)])
    async with issuer.cache() as cache:
        for code in ("unavailable", "backing_off"):
            with pytest.raises(TokenUnavailable, match=r"expiry to be a time|already expired") as failed:
                await cache.token()
            assert failed.value.code == f"downstream_token_{code}"


@pytest.mark.parametrize("refresh_on_s", [math.nan, math.inf, -1, 10**400, "soon"], ids=lambda value: str(value)[:9])
async def test_odd_refresh_time_counts_as_not_stated(refresh_on_s: Any) -> None:
    """The token is used, and refreshed as if its issuer had not said when."""
    issuer = OddIssuer([DownstreamToken("t", NOW_S + HOUR_S, refresh_on_s)])
    async with issuer.cache() as cache:
        assert (await cache.token()).refresh_on_s is None
        await issuer.tick(HOUR_S - 300)
        assert (await cache.token()).token == "good"


async def test_dead_keeper_is_replaced() -> None:
    """Whatever ended the background task, the next request starts another one, which refreshes on time."""
    issuer = OddIssuer([])
    fail = True

    async def sleep(seconds: float) -> None:
        if fail:
            raise RuntimeError("no such thing as sleep")
        await issuer.sleep(seconds)

    cache = DownstreamTokenCache(
        "s", issuer.fetch, clock=issuer.wall_s, sleep=sleep, rng=lambda: 0.0, monotonic=lambda: issuer.now_s
    )
    await cache.token()
    await issuer.tick(0)
    assert cache._keeper is not None
    assert isinstance(cache._keeper.exception(), RuntimeError)
    fail = False
    await cache.token()
    for number in (2, 3):
        await issuer.tick(HOUR_S - 300)
        assert len(issuer.fetched_s) == number
    await cache.aclose()

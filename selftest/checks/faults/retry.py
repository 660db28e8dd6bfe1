"""F90 and F91: a provider that takes longer than one attempt, and a second attempt that gets its result.

Microsoft documents only that Entra retries at most once. Users have observed a retry after a timeout; whether one
follows a 503 is unknown. Both are played: F90 leaves the retry to the emulated caller, whose attempt times out before
the endpoint's budget, and F91 delivers the event again after the endpoint's 503.

The times are fractions of the variant's budget; with 1500 ms the provider takes 2.5 s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.variant import TWO_ATTEMPTS
from selftest.checks.expectations import failed, skipped
from selftest.checks.faults.setup import NoClaimsBeforeFault, downstream_and_variant, playing
from selftest.checks.registry import DOWNSTREAM, CheckOutcome, check
from selftest.downstream.faults import FAULTS
from selftest.judge.verdict import judge
from selftest.play.caller import Call, Caller

_SIGN_INS: Final = 5
_WANTED: Final = (
    f"{_SIGN_INS} of {_SIGN_INS} sign-ins succeed on the second attempt, with one API call each; "
    f"0 of {_SIGN_INS} if the second attempt is another event"
)
_joins: Final = partial(check, needs=DOWNSTREAM, variant=TWO_ATTEMPTS, sign_ins=_SIGN_INS, wanted=_WANTED)


def _attempts_ms(env: CheckEnvironment) -> tuple[int, int]:
    """Return the timeouts of an attempt that ends before the endpoint's budget and of one that ends after it, in ms."""
    budget_ms = downstream_and_variant(env)[1].budget_ms
    return budget_ms * 14 // 15, budget_ms * 4 // 3


async def _delivered(env: CheckEnvironment, timeout_ms: int, *, same: bool) -> Call:
    """Deliver an event, and again at once if no claims came: the same event, or one with another correlation id."""
    caller, token, event = Caller(env.session), env.good_token(), env.event()
    first = await caller.call(env.url, token=token, event=event, timeout_ms=timeout_ms, max_retries=0)
    if judge(first.reply).minted:
        return first
    again = event if same else env.event()
    second = await caller.call(env.url, token=token, event=again, timeout_ms=timeout_ms, max_retries=0)
    return Call(attempts=(*first.attempts, *second.attempts))


async def _compared(
    env: CheckEnvironment, joined: Callable[[], Awaitable[Call]], apart: Callable[[], Awaitable[Call]]
) -> CheckOutcome:
    """Sign in several times at once in both ways while the API is slow, and count the successes.

    The attempts leave 0.3 s for all of it, so that a busy machine gets a second trial.
    """
    outcome = await _tried(env, joined, apart)
    return outcome if outcome.status == "pass" else await _tried(env, joined, apart)


async def _tried(
    env: CheckEnvironment, joined: Callable[[], Awaitable[Call]], apart: Callable[[], Awaitable[Call]]
) -> CheckOutcome:
    downstream, variant = downstream_and_variant(env)
    slow = replace(FAULTS["slowness"], delay_s=variant.budget_ms / 600)
    try:
        async with playing(env, slow, env.new_id()):
            calls = await asyncio.gather(*(each() for each in (joined, apart) for _ in range(_SIGN_INS)))
            asked = downstream.hits["profile"]
    except NoClaimsBeforeFault as error:
        return failed(error.response, _WANTED, str(error))
    return _counted(calls[:_SIGN_INS], calls[_SIGN_INS:], asked)


def _counted(joined: Sequence[Call], apart: Sequence[Call], asked: int) -> CheckOutcome:
    minted = [call for call in joined if judge(call.reply).minted]
    without = [call for call in apart if judge(call.reply).minted]
    if without:
        return skipped(_WANTED, f"{len(without)} sign-ins succeed without a join, so the result proves nothing")
    second = [call for call in minted if len(call.attempts) == 2]
    actual = f"{len(minted)} of {len(joined)} sign-ins succeed ({len(second)} on the second attempt), 0 of {len(apart)}"
    # A sign-in without a join is two events, and each event is processed once.
    wanted = len(joined) + 2 * len(apart)
    actual += f"; the API was called {asked} times for {wanted} events"
    good = len(second) == len(joined) and asked == wanted
    latency_ms = max(call.attempts[-1].latency_ms for call in joined)
    return CheckOutcome(status="pass" if good else "fail", expected=_WANTED, actual=actual, latency_ms=latency_ms)


@_joins("F90")
async def joins_after_a_timeout(env: CheckEnvironment) -> CheckOutcome:
    """Leave the retry to the emulated caller."""
    shorter_ms, _ = _attempts_ms(env)

    async def retried() -> Call:
        caller, event, token = Caller(env.session), env.event(), env.good_token()
        return await caller.call(env.url, token=token, event=event, timeout_ms=shorter_ms, max_retries=1)

    return await _compared(env, retried, lambda: _delivered(env, shorter_ms, same=False))


@_joins("F91")
async def joins_after_a_503(env: CheckEnvironment) -> CheckOutcome:
    """Deliver the event twice."""
    _, longer_ms = _attempts_ms(env)
    return await _compared(
        env, lambda: _delivered(env, longer_ms, same=True), lambda: _delivered(env, longer_ms, same=False)
    )

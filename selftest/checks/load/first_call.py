"""L04: the first call of a new worker, after every restart and scale-out."""

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.load.budget import decided, load_of
from selftest.checks.registry import CheckOutcome, check


@check("L04", needs=frozenset({"load", "cold"}))
async def answers_when_fresh(env: CheckEnvironment) -> CheckOutcome:
    """Judge the slowest first call, and whether each got a token."""
    load = load_of(env)
    budget_ms = load.config.budget_ms
    starts = load.cold_starts
    expected = f"claims within {budget_ms:,} ms of listening, {len(starts)} of {len(starts)} times"
    slowest_ms = max(start.answered_ms - start.listening_ms for start in starts)
    minted = sum(start.minted for start in starts)
    spawned_ms = max(start.answered_ms for start in starts)
    times = f"{slowest_ms:,.0f} ms after the app listened, {spawned_ms:,.0f} ms after its start"
    actual = f"{minted} of {len(starts)} sign-ins got a token; {times}"
    good = minted == len(starts) and slowest_ms <= budget_ms
    return decided(expected, actual, good=good, latency_ms=slowest_ms)

"""L04: the first call of a fresh worker, which somebody meets after every restart and every scale-out."""

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.load.budget import decided, load_of
from selftest.checks.registry import CheckOutcome, check


@check(
    "L04",
    "answers the first call of a fresh worker in time",
    source="Graph customExtensionClientConfiguration: at most 2000 ms; ours: counted from when the worker listens",
    why="The user whose sign-in wakes a worker waits for everything that the app puts off to its first call.",
    fix="Load the keys and open connections when the worker starts, import late what is seldom used, and keep an "
    "instance warm. claims/token/keys.py and docs/timing-budget.md.",
    explain="Starts fresh workers, sends each one call as soon as it listens, and ends it; apart from the load.\n"
    "Wanted: every one is answered with claims within Entra's timeout, counted from when it listened.\nWhat the "
    "platform needs to spawn a worker is not part of it, and comes on top after a scale to zero.",
    needs=frozenset({"load", "cold"}),
)
async def answers_when_fresh(env: CheckEnvironment) -> CheckOutcome:
    """Look at the slowest, and at whether each was good."""
    load = load_of(env)
    budget_ms = load.config.budget_ms
    starts = load.cold_starts
    expected = f"claims within {budget_ms:,} ms of listening, {len(starts)} of {len(starts)} times"
    slowest_ms = max(start.answered_ms - start.listening_ms for start in starts)
    minted = sum(start.minted for start in starts)
    spawned_ms = max(start.answered_ms for start in starts)
    told = (
        f"{minted} of {len(starts)} minted; {slowest_ms:,.0f} ms after listening, {spawned_ms:,.0f} ms after the spawn"
    )
    good = minted == len(starts) and slowest_ms <= budget_ms
    return decided(expected, told, good=good, latency_ms=slowest_ms)

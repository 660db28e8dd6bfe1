"""L04: the first call of a new worker, after every restart and scale-out."""

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.load.budget import decided, load_of
from selftest.checks.registry import CheckOutcome, check


@check(
    "L04",
    "answers the first call of a new worker in time",
    level="sign-in",
    source=(
        "Graph customExtensionClientConfiguration: at most 2000 ms; ours: counted from when the worker "
        "accepts connections"
    ),
    why="The user whose sign-in starts a worker waits for everything that the app does at its first call.",
    fix=(
        "Load the keys and open connections when the worker starts, import rarely used modules late, and keep"
        " an instance warm."
    ),
    explain=(
        "Starts new workers, sends each one call as soon as it listens, and stops it; separate from the "
        "load.\nExpected: each call is answered with claims within Entra's timeout, counted from when the worker"
        " listened.\nThe platform's time to spawn a worker is not included and adds to it after a scale to "
        "zero."
    ),
    needs=frozenset({"load", "cold"}),
)
async def answers_when_fresh(env: CheckEnvironment) -> CheckOutcome:
    """Judge the slowest first call, and whether each was minted."""
    load = load_of(env)
    budget_ms = load.config.budget_ms
    starts = load.cold_starts
    expected = f"claims within {budget_ms:,} ms of listening, {len(starts)} of {len(starts)} times"
    slowest_ms = max(start.answered_ms - start.listening_ms for start in starts)
    minted = sum(start.minted for start in starts)
    spawned_ms = max(start.answered_ms for start in starts)
    actual = (
        f"{minted} of {len(starts)} minted; {slowest_ms:,.0f} ms after listening, {spawned_ms:,.0f} ms after the spawn"
    )
    good = minted == len(starts) and slowest_ms <= budget_ms
    return decided(expected, actual, good=good, latency_ms=slowest_ms)

"""L01 to L03: whether the answers of a load run came in time. They judge what was measured and send nothing."""

from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.expectations import skipped
from selftest.checks.registry import LOAD, CheckOutcome, check
from selftest.report.load_result import LoadResult

_ENTRA: Final = "Graph customExtensionClientConfiguration: timeoutInMilliseconds at most 2000, maximumRetries at most 1"
#: These do not depend on how well the generator kept its time.
_OF_THE_ENDPOINT: Final = frozenset({"samples"})
#: What an answer may take inside the endpoint so that 100 ms are left for the way: the most that its budget may be.
_INSIDE_MS: Final = 1900.0
_TOTAL: Final = frozenset({"network and host"})


def load_of(env: CheckEnvironment) -> LoadResult:
    """Give the load run, which the runner has seen to.

    Raises:
        LookupError: It has not.
    """
    if env.load is None:
        raise LookupError("this judges a load run")
    return env.load


def unproved(load: LoadResult, expected: str, *, except_for: frozenset[str] = _OF_THE_ENDPOINT) -> CheckOutcome | None:
    """Give the skip of a check where the run is not valid, so that nothing passes or fails by the generator's fault."""
    for fault in load.faults:
        if fault.name not in except_for:
            told = f"{fault.name} {fault.measured}, wanted {fault.limit}: {fault.recommendation}"
            return skipped(expected, f"the run is not valid: {told}")
    return None


def decided(expected: str, actual: str, *, good: bool, latency_ms: float | None = None) -> CheckOutcome:
    """Pass or fail."""
    return CheckOutcome(status="pass" if good else "fail", expected=expected, actual=actual, latency_ms=latency_ms)


@check(
    "L01",
    "answers first calls within Entra's timeout",
    source=f"{_ENTRA}; bound: Clopper and Pearson 1934, one-sided, as in MLPerf LoadGen",
    why="A first call that is missed costs the user two seconds, and the sign-in where the retry is missed, too.",
    fix="Look at the phases of the slowest calls in the report: a provider that is slow at times wants a cache, a plan "
    "that scales in wants warm instances. docs/timing-budget.md.",
    explain="Sends sign-ins when they are due, whatever became of the ones before; a miss is an answer after the "
    "budget, none at all, or one that Entra would not mint from.\nWanted: with the asked confidence (99 %) fewer first "
    "calls miss than allowed (1 %).\nFails when more miss with the same confidence; in between more calls are needed.",
    needs=LOAD,
)
async def answers_in_time(env: CheckEnvironment) -> CheckOutcome:
    """Compare the bounds of the share of misses with what is allowed."""
    load = load_of(env)
    limit = load.config.max_missed_share
    expected = f"fewer than {limit * 100:.6g} % of first calls miss {load.config.budget_ms:,} ms"
    if load.config.profile == "step":
        return skipped(expected, "the rates of a step run are judged by L06")
    if (skip := unproved(load, expected, except_for=frozenset())) is not None:
        return skip
    p99_ms = None if load.latency is None else load.latency.p99_ms
    return decided(expected, load.sentence, good=load.missed_below <= limit, latency_ms=p99_ms)


@check(
    "L02",
    "loses no sign-in under load",
    source=f"{_ENTRA}; Learn Q&A 5617636: the retry follows a timeout",
    why="A sign-in is lost when no attempt is answered well in time: the user gets a generic error and no token.",
    fix="What makes two attempts miss is mostly the work itself: let the retry join it (claims/provider_call.py), "
    "bound the "
    "provider by Claims__BudgetMs, and choose Claims__OnFailure.",
    explain="Counts the sign-ins of the load run whose first call and retry were both late, failed or unanswered.\n"
    "The retry follows a timeout or a broken connection, never an answer.\nWanted: none. With --retries 0 every miss "
    "loses its sign-in.",
    needs=LOAD,
)
async def loses_none(env: CheckEnvironment) -> CheckOutcome:
    """Count."""
    load = load_of(env)
    expected = "0 sign-ins lost"
    if load.config.profile == "step":
        return skipped(expected, "the rates of a step run are judged by L06")
    if (skip := unproved(load, expected)) is not None:
        return skip
    lost = load.counts.lost
    codes = ", ".join(f"{code}: {count:,}" for code, count in load.outcomes.items() if code != "minted")
    told = f"{lost:,} of {load.calls:,} lost" + (f" (first calls that missed, {codes})" if codes else "")
    return decided(expected, told, good=not lost)


@check(
    "L03",
    "says that its answers leave within 1,900 ms",
    level="should",
    source="ours: Claims__BudgetMs is at most 1900, so that the way back has 100 ms; W3C Server Timing",
    why="An answer that leaves at the last moment is late when the network is slow for once.",
    fix="Bound the work by a budget of your own below Entra's: Claims__BudgetMs. claims/provider_call.py shows it.",
    explain="Reads the phases that the endpoint reports in Server-Timing, for every call of the load run.\nWanted: the "
    "99th percentile of each is at most 1,900 ms. Skipped for an endpoint that reports none.",
    needs=LOAD,
)
async def leaves_in_time(env: CheckEnvironment) -> CheckOutcome:
    """Look at the slowest phase."""
    load = load_of(env)
    expected = f"p99 of every phase at most {_INSIDE_MS:,.0f} ms"
    inside = [phase for phase in load.phases if phase.name not in _TOTAL]
    if not inside:
        return skipped(expected, "the answers carry no Server-Timing")
    slowest = max(inside, key=lambda phase: phase.p99_ms)
    return decided(expected, f"{slowest.name} takes {slowest.p99_ms:,.1f} ms", good=slowest.p99_ms <= _INSIDE_MS)

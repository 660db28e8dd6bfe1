"""L01 to L03: whether the responses of a load run arrived in time. These checks judge the run and send nothing."""

from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.expectations import skipped
from selftest.checks.load.causes import fix_by_code, missed_by_code
from selftest.checks.registry import LOAD, CheckOutcome, check
from selftest.load.outcome import TIMED_OUT
from selftest.report.load_result import LoadResult

#: Reasons that do not depend on how punctual the generator was.
_OF_THE_ENDPOINT: Final = frozenset({"samples"})
#: The most that a response may take inside the endpoint, which leaves 100 ms for the network.
_INSIDE_MS: Final = 1900.0
_TOTAL: Final = frozenset({"network and host"})


def load_of(env: CheckEnvironment) -> LoadResult:
    """Return the result of the load run.

    Raises:
        LookupError: There is none; the runner skips such a check.
    """
    if env.load is None:
        raise LookupError("the check needs a load run")
    return env.load


def invalid_run(
    load: LoadResult, expected: str, *, except_for: frozenset[str] = _OF_THE_ENDPOINT
) -> CheckOutcome | None:
    """Return the skip of a check if the run is not valid, so that a late generator neither passes nor fails it."""
    for fault in load.faults:
        if fault.name not in except_for:
            reason = f"{fault.name} {fault.measured}, expected {fault.limit}: {fault.recommendation}"
            return skipped(expected, f"the run is not valid: {reason}")
    return None


def decided(
    expected: str, actual: str, *, good: bool, latency_ms: float | None = None, fix: str | None = None
) -> CheckOutcome:
    """Return a pass or a fail; ``fix`` is what to do, if it depends on what the endpoint did."""
    return CheckOutcome(
        status="pass" if good else "fail", expected=expected, actual=actual, latency_ms=latency_ms, fix=fix
    )


@check("L01", needs=LOAD)
async def answers_in_time(env: CheckEnvironment) -> CheckOutcome:
    """Compare the bounds of the share of misses with the allowed share."""
    load = load_of(env)
    limit = load.config.max_missed_share
    expected = (
        f"fewer than {limit * 100:.6g} % of calls fail or take over {load.config.budget_ms:,} ms at the first attempt"
    )
    if load.config.profile == "step":
        return skipped(expected, "the rates of a step run are judged by L06")
    if (skip := invalid_run(load, expected, except_for=frozenset())) is not None:
        return skip
    p99_ms = None if load.latency is None else load.latency.p99_ms
    codes = missed_by_code(load)
    actual = f"{load.sentence} ({codes})" if codes else load.sentence
    return decided(expected, actual, good=load.missed_below <= limit, latency_ms=p99_ms, fix=fix_by_code(load))


@check("L02", needs=LOAD)
async def loses_none(env: CheckEnvironment) -> CheckOutcome:
    """Count the lost sign-ins."""
    load = load_of(env)
    expected = "0 sign-ins lost"
    if load.config.profile == "step":
        return skipped(expected, "the rates of a step run are judged by L06")
    if (skip := invalid_run(load, expected)) is not None:
        return skip
    lost = load.counts.lost
    codes = missed_by_code(load)
    actual = f"{lost:,} of {load.calls:,} lost" + (f" (calls that failed or were late, {codes})" if codes else "")
    slow = load.outcomes.get(str(TIMED_OUT), 0) > load.counts.first_calls_missed / 2
    return decided(expected, actual, good=not lost, fix=None if slow else fix_by_code(load))


@check("L03", needs=LOAD)
async def leaves_in_time(env: CheckEnvironment) -> CheckOutcome:
    """Judge the slowest phase."""
    load = load_of(env)
    expected = f"p99 of every phase at most {_INSIDE_MS:,.0f} ms"
    inside = [phase for phase in load.phases if phase.name not in _TOTAL]
    if not inside:
        return skipped(expected, "the responses have no Server-Timing")
    slowest = max(inside, key=lambda phase: phase.p99_ms)
    return decided(expected, f"{slowest.name} takes {slowest.p99_ms:,.1f} ms", good=slowest.p99_ms <= _INSIDE_MS)

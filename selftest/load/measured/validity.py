"""Whether a run proves anything, before what it proves: a late generator makes good endpoints bad and hides bad ones.

A run that is not valid gives no verdict, and each reason comes with what to change. The idea, the word and the
recommendation are MLPerf LoadGen's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from selftest.load.measured.statistics import calls_needed
from selftest.report.load_result import LoadConfig, LoadFault, Percentiles

#: Measured, eleven runs of three clients against a constant 200 ms: each that was wrong by more than a second had 63 ms
#: or more, each below 20 ms was right within 70 ms.
MAX_LATENESS_P99_MS: Final = 25.0
MIN_RATE_SHARE: Final = 0.99
#: More than clocks are corrected by while a run lasts; less than a laptop that sleeps.
MAX_CLOCK_DIFFERENCE_S: Final = 1.0
#: How much of an hour-long run a wall clock that is being slewed may drift: 500 ppm is NTP's limit.
_SLEW: Final = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the generator did.

    Attributes:
        calls: sent, of the measured part.
        missed: of those, first calls that missed.
        asked_rate_per_s: of the schedule, which with Poisson arrivals is not quite the rate.
        clock_difference_s: how much more time went by for the wall clock than for the monotonic one.
        interrupted: the run did not come to its end, so that its length proves nothing.
    """

    calls: int
    missed: int
    dropped: int
    lateness: Percentiles | None
    asked_rate_per_s: float
    achieved_rate_per_s: float
    elapsed_s: float
    clock_difference_s: float
    missed_below: float
    missed_above: float
    confidence: float
    interrupted: bool = False


def faults_of(config: LoadConfig, evidence: Evidence) -> tuple[LoadFault, ...]:
    """Give every reason not to believe the run; none: it is valid."""
    return tuple(_faults(config, evidence))


def _faults(config: LoadConfig, evidence: Evidence) -> Iterator[LoadFault]:
    lateness = evidence.lateness
    if lateness is not None and lateness.p99_ms > MAX_LATENESS_P99_MS:
        yield LoadFault(
            name="lateness",
            measured=f"{lateness.p99_ms:.1f} ms (p99)",
            limit=f"{MAX_LATENESS_P99_MS:.0f} ms",
            recommendation="the generator sent its calls late: lower --rate, or use a quieter machine",
        )
    if evidence.dropped:
        yield LoadFault(
            name="dropped",
            measured=f"{evidence.dropped:,} calls",
            limit="0 calls",
            recommendation=f"{config.max_in_flight:,} attempts were under way at once: the endpoint does not keep up; "
            "lower --rate, or raise --max-in-flight if this machine has the sockets",
        )
    elif evidence.achieved_rate_per_s < MIN_RATE_SHARE * evidence.asked_rate_per_s and not evidence.interrupted:
        yield LoadFault(
            name="rate",
            measured=f"{evidence.achieved_rate_per_s:.1f}/s",
            limit=f"{MIN_RATE_SHARE:.0%} of {evidence.asked_rate_per_s:.1f}/s".replace("%", " %"),
            recommendation="the generator did not reach its rate: lower --rate, or use a quieter machine",
        )
    allowed_s = MAX_CLOCK_DIFFERENCE_S + _SLEW * evidence.elapsed_s
    if abs(evidence.clock_difference_s) > allowed_s:
        yield LoadFault(
            name="clock",
            measured=f"{evidence.clock_difference_s:+.1f} s",
            limit=f"{allowed_s:.1f} s",
            recommendation="the machine slept, or its clock was set, during the run: run it again and keep it awake",
        )
    yield from _too_few(config, evidence)


def _too_few(config: LoadConfig, evidence: Evidence) -> Iterator[LoadFault]:
    """Say how many calls are missing where neither keeping nor breaking the limit is proved.

    The rates of a step profile are judged one by one, each too short for a proof.
    """
    limit = config.max_missed_share
    if config.profile == "step" or evidence.missed_below <= limit or evidence.missed_above > limit:
        return
    missing = calls_needed(evidence.missed, limit, evidence.confidence) - evidence.calls
    share = evidence.missed / evidence.calls if evidence.calls else 0.0
    if share < limit:
        advice = f"needs {missing:,} more calls, all in budget: raise --duration or --rate"
    else:
        advice = f"{share:.2%} missed, which is over the limit, but not surely so: raise --duration".replace("%", " %")
    yield LoadFault(
        name="samples",
        measured=f"{evidence.calls:,} calls, {evidence.missed:,} missed",
        limit=f"{evidence.confidence * 100:.6g} % confidence that fewer than {limit * 100:.6g} % miss",
        recommendation=advice,
    )

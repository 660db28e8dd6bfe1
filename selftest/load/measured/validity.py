"""Whether a run is valid: a late generator makes a good endpoint look bad, and hides a bad one.

A run that is not valid has no verdict, and each reason has a recommendation. The idea and the term are those of MLPerf
LoadGen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from selftest.load.measured.statistics import calls_needed
from selftest.report.load_result import LoadConfig, LoadFault, Percentiles

#: Measured in eleven runs of three clients against a constant 200 ms: each run with an error above one second had 63 ms
#: or more; each run below 20 ms had an error of at most 70 ms.
MAX_LATENESS_P99_MS: Final = 25.0
MIN_RATE_SHARE: Final = 0.99
#: More than a clock is corrected by during a run; less than the sleep of a laptop.
MAX_CLOCK_DIFFERENCE_S: Final = 1.0
#: How far a wall clock may drift while it is slewed: 500 ppm is NTP's limit.
_SLEW: Final = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The generator's measurements.

    Attributes:
        calls: The number of sent calls of the measured part.
        asked_rate_per_s: The rate of the schedule, which with Poisson arrivals differs from the requested rate.
        clock_difference_s: The time of the wall clock minus that of the monotonic clock.
        interrupted: Whether the run was interrupted, so that its duration proves nothing.
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
    """Return every reason why the run is not valid; empty if it is valid."""
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
            recommendation=f"{config.max_in_flight:,} concurrent attempts: the endpoint does not keep up; "
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
            recommendation="the machine slept or its clock was set during the run: keep it awake and run it again",
        )
    yield from _too_few(config, evidence)


def _too_few(config: LoadConfig, evidence: Evidence) -> Iterator[LoadFault]:
    """Yield the number of missing calls if neither keeping nor exceeding the limit is proved.

    The rates of a step profile are judged individually; each is too short for a proof.
    """
    limit = config.max_missed_share
    if config.profile == "step" or evidence.missed_below <= limit or evidence.missed_above > limit:
        return
    missing = calls_needed(evidence.missed, limit, evidence.confidence) - evidence.calls
    share = evidence.missed / evidence.calls if evidence.calls else 0.0
    if share < limit:
        advice = f"needs {missing:,} more calls, all in time: raise --duration or --rate"
    else:
        seen = f"{share * 100:.2f} % failed or were late"
        advice = f"{seen}, which is over the limit, but not with this confidence: raise --duration"
    yield LoadFault(
        name="samples",
        measured=f"{evidence.calls:,} calls, {evidence.missed:,} failed or late",
        limit=f"{evidence.confidence * 100:.6g} % confidence that fewer than {limit * 100:.6g} % fail or are late",
        recommendation=advice,
    )

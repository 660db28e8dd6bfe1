"""The profiles of load: steady, in steps, and with a spike; and the limits of every run."""

from dataclasses import dataclass
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.load.plan.schedule import Segment
from selftest.report.load_result import LoadConfig

MAX_RATE_PER_S: Final = 5000.0
MAX_DURATION_S: Final = 24 * 3600.0
MAX_CALLS: Final = 5_000_000
#: A spike starts after this share of the run, which leaves time to measure the usual latency and the recovery.
_SPIKE_AT: Final = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """The plan of one load run.

    Attributes:
        segments: The measured part; its durations add up to the configuration's.
        confidence: The confidence of the verdict, 0 to 1.
        cold_starts: How many new workers are started; only if the harness runs the app.
    """

    config: LoadConfig
    segments: tuple[Segment, ...]
    confidence: float = 0.99
    cold_starts: int = 0

    @property
    def expected_calls(self) -> int:
        """Return the number of calls that are due, including the warm-up; with Poisson arrivals the expected number."""
        measured = sum(segment.rate_per_s * segment.duration_s for segment in self.segments)
        return round(measured + self.segments[0].rate_per_s * self.config.warmup_s)


def steady(rate_per_s: float, duration_s: float) -> tuple[Segment, ...]:
    """Return one constant rate, for load and soak."""
    return (Segment(rate_per_s=rate_per_s, duration_s=duration_s),)


def steps(rates_per_s: tuple[float, ...], step_duration_s: float) -> tuple[Segment, ...]:
    """Return one rate after the other, to find the highest that holds."""
    return tuple(Segment(rate_per_s=rate_per_s, duration_s=step_duration_s) for rate_per_s in rates_per_s)


def spike(
    rate_per_s: float, duration_s: float, spike_rate_per_s: float, spike_duration_s: float
) -> tuple[Segment, ...]:
    """Return a usual rate, a higher one for a while, and the usual one again.

    Raises:
        CannotRun: The run is too short for a spike of this duration.
    """
    before_s = duration_s * _SPIKE_AT
    after_s = duration_s - before_s - spike_duration_s
    if after_s <= 0:
        raise CannotRun(
            f"a spike of {spike_duration_s:g} s needs a longer run than {duration_s:g} s: "
            "a third of it precedes the spike, and some time follows; raise --duration or lower --spike-duration"
        )
    return (
        Segment(rate_per_s=rate_per_s, duration_s=before_s),
        Segment(rate_per_s=spike_rate_per_s, duration_s=spike_duration_s),
        Segment(rate_per_s=rate_per_s, duration_s=after_s),
    )


def bounded(plan: LoadPlan) -> LoadPlan:
    """Return the plan if it is within the limits of every run.

    Raises:
        CannotRun: Rate, duration or the number of calls exceeds its limit; the message names the flag.
    """
    highest = max(segment.rate_per_s for segment in plan.segments)
    total_s = sum(segment.duration_s for segment in plan.segments) + plan.config.warmup_s
    if highest > MAX_RATE_PER_S:
        raise CannotRun(f"{highest:g}/s is more than {MAX_RATE_PER_S:g}/s, the highest rate")
    if total_s > MAX_DURATION_S:
        raise CannotRun(f"{total_s:g} s is more than {MAX_DURATION_S:g} s (24 hours), the longest run")
    if plan.expected_calls > MAX_CALLS:
        raise CannotRun(
            f"{plan.expected_calls:,} calls are more than {MAX_CALLS:,}, the most in one run: lower --rate or "
            "--duration"
        )
    if plan.config.timeout_ms < plan.config.budget_ms:
        raise CannotRun(
            f"--timeout-ms {plan.config.timeout_ms} is less than --budget-ms {plan.config.budget_ms}: "
            "late responses could not be measured"
        )
    return plan

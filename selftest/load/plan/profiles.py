"""The shapes of load: steady, for hours, in steps, and with a spike; and what bounds every run."""

from dataclasses import dataclass
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.load.plan.schedule import Segment
from selftest.report.load_result import LoadConfig

MAX_RATE_PER_S: Final = 5000.0
MAX_DURATION_S: Final = 24 * 3600.0
MAX_CALLS: Final = 5_000_000
#: A spike comes when this share of the run is over: there has to be a usual latency before, and time to recover.
_SPIKE_AT: Final = 1 / 3


class PlanError(CannotRun):
    """Raised for a run that cannot be or is bounded; the message says which flag to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """One load run to be played.

    Attributes:
        segments: the measured part; its durations add up to the configuration's.
        confidence: 0.99: how sure the verdict has to be.
        cold_starts: how many fresh workers are started; only where the app is ours.
    """

    config: LoadConfig
    segments: tuple[Segment, ...]
    confidence: float = 0.99
    cold_starts: int = 0

    @property
    def expected_calls(self) -> int:
        """Give how many calls are due, the warm-up included; with Poisson arrivals about as many."""
        measured = sum(segment.rate_per_s * segment.duration_s for segment in self.segments)
        return round(measured + self.segments[0].rate_per_s * self.config.warmup_s)


def steady(rate_per_s: float, duration_s: float) -> tuple[Segment, ...]:
    """Give one rate all the time: load and soak."""
    return (Segment(rate_per_s=rate_per_s, duration_s=duration_s),)


def steps(rates_per_s: tuple[float, ...], step_duration_s: float) -> tuple[Segment, ...]:
    """Give one rate after the other, to find the highest that holds."""
    return tuple(Segment(rate_per_s=rate_per_s, duration_s=step_duration_s) for rate_per_s in rates_per_s)


def spike(
    rate_per_s: float, duration_s: float, spike_rate_per_s: float, spike_duration_s: float
) -> tuple[Segment, ...]:
    """Give a usual rate, a higher one for a while, and the usual one again.

    Raises:
        PlanError: The spike leaves no time around it.
    """
    before_s = duration_s * _SPIKE_AT
    after_s = duration_s - before_s - spike_duration_s
    if after_s <= 0:
        raise PlanError(
            f"a spike of {spike_duration_s:g} s needs a longer run than {duration_s:g} s: "
            "a third of it comes before the spike, and some after; raise --duration or lower --spike-duration"
        )
    return (
        Segment(rate_per_s=rate_per_s, duration_s=before_s),
        Segment(rate_per_s=spike_rate_per_s, duration_s=spike_duration_s),
        Segment(rate_per_s=rate_per_s, duration_s=after_s),
    )


def bounded(plan: LoadPlan) -> LoadPlan:
    """Give the plan back when it is within bounds.

    Raises:
        PlanError: Rate, duration or the number of calls is beyond what any run may have.
    """
    highest = max(segment.rate_per_s for segment in plan.segments)
    total_s = sum(segment.duration_s for segment in plan.segments) + plan.config.warmup_s
    if highest > MAX_RATE_PER_S:
        raise PlanError(f"{highest:g}/s is more than {MAX_RATE_PER_S:g}/s, which is the most that is played")
    if total_s > MAX_DURATION_S:
        raise PlanError(f"{total_s:g} s is more than {MAX_DURATION_S:g} s (24 hours), which is the longest run")
    if plan.expected_calls > MAX_CALLS:
        raise PlanError(
            f"{plan.expected_calls:,} calls are more than {MAX_CALLS:,}, the most in one run: lower --rate or "
            "--duration"
        )
    if plan.config.timeout_ms < plan.config.budget_ms:
        raise PlanError(
            f"--timeout-ms {plan.config.timeout_ms} is less than --budget-ms {plan.config.budget_ms}: "
            "nothing could be seen to be late"
        )
    return plan

"""The result of a load run: counts, exact percentiles, where the time went, and whether the run is valid.

The reports are made from it. It is small for a run of any length: the samples themselves are in the raw file. Latency
counts from the moment a call was due, so that a call sent late does not look faster (RFC 2544: offered load; Gil Tene:
"coordinated omission").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from selftest.judge.app_line import AppLine
from selftest.report.units import percent

type Profile = Literal["load", "soak", "step", "spike"]
type Arrivals = Literal["constant", "poisson"]
#: Of one attempt. ``late``: a good reply after the budget; ``failed``: a reply without a token, also in time;
#: ``unanswered``: no reply before the run stopped waiting; ``dropped``: never sent.
type AttemptOutcome = Literal["in-budget", "late", "failed", "unanswered", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadConfig:
    """The configuration of a load run.

    Attributes:
        rate_per_s: The sign-ins due a second; the highest rate of a step or spike profile.
        duration_s: The length of the measured part, without the warm-up.
        budget_ms: Entra's timeout for one attempt, 200 to 2000. It decides which calls are good.
        timeout_ms: When the run stops waiting for an attempt; above the budget, so that late replies are measured.
        max_retries: Entra's, 0 or 1.
        seed: The seed of Poisson arrivals and of the order of the varieties.
        max_missed_share: The share of first calls that may miss the budget, 0 to 1.
        thresholds: The user's own, such as ``p95<300`` and ``errors<1%``.
    """

    profile: Profile
    rate_per_s: float
    duration_s: float
    warmup_s: float
    arrivals: Arrivals
    budget_ms: int
    timeout_ms: int
    max_retries: int
    max_in_flight: int
    seed: int
    max_missed_share: float = 0.01
    thresholds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCounts:
    """The sign-ins of the measured part by how they ended; of an interrupted run, those that had ended.

    Attributes:
        signins: The number due: the sum of minted, lost and dropped.
        minted: Sign-ins with a token, at the first call or at the retry.
        lost: Sign-ins of which neither the first call nor the retry was good and within the budget.
        dropped: Sign-ins never sent, because too many calls were in progress.
        first_calls_missed: First calls that were late, failed or unanswered.
        retries: Second calls, which Entra makes after a timeout or a broken connection.
    """

    signins: int
    minted: int
    lost: int
    dropped: int
    first_calls_missed: int
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Exact percentiles by nearest rank, in milliseconds, of ``samples`` values."""

    samples: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    p99_9_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFault:
    """One reason why a load run is not valid.

    Attributes:
        name: lateness, rate, dropped, samples or clock.
        measured: The measured value with its unit.
        limit: The limit with its unit.
        recommendation: What to change before the next run.
    """

    name: str
    measured: str
    limit: str
    recommendation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadThreshold:
    """One of the user's own thresholds, and the measured value with its unit."""

    expression: str
    measured: str
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseInLog:
    """A line of the app's log, and how many calls that missed had one like it; 0 for a note of the host."""

    calls: int
    line: AppLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One first call in the figure of latency over time. Long runs keep every miss and a share of the rest."""

    due_s: float
    latency_ms: float
    outcome: AttemptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One interval of the run in the figure over time."""

    start_s: float
    seconds: float
    calls: int
    missed: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    lateness_max_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPhase:
    """One phase of the endpoint's ``Server-Timing``, or ``network and host``: the time outside the endpoint.

    Attributes:
        mean_share: The share of the latency of all calls, 0 to 1.
        slowest_share: The share of the latency of the slowest hundredth of the calls, 0 to 1.
    """

    name: str
    calls: int
    p50_ms: float
    p99_ms: float
    mean_share: float
    slowest_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStep:
    """One rate of a step or spike profile."""

    rate_per_s: float
    seconds: float
    signins: int
    lost: int
    first_calls_missed: int
    p50_ms: float
    p99_ms: float
    held: bool
    valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySample:
    """The resident memory of the endpoint's process, if it runs on this machine."""

    at_s: float
    resident_kb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """One start of a new worker process. Times are milliseconds since its start, and each includes the one before.

    Attributes:
        indexed_ms: When the app was imported and its functions were known; None if the host does not report it.
        answered_ms: When the first call was answered, which was sent as soon as the worker listened.
        minted: Whether Entra would mint a token from that reply.
    """

    listening_ms: float
    indexed_ms: float | None
    answered_ms: float
    minted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """One load run.

    Attributes:
        outcomes: The first calls by what Entra would log: ``minted``, or a code such as ``1003005``.
        endings: The first calls by how they ended.
        latency: First calls from due to end, without those in ``failed_latency``; None without one. An unanswered one
            counts with the time that the run waited for it.
        failed_latency: First calls that failed within the budget: a fast refusal does not make an endpoint fast.
        service: The same as ``latency``, from sent to end: what a closed-loop generator would show.
        lateness: All calls, from due to sent: how well the generator kept its schedule.
        achieved_rate_per_s: The calls sent, divided by the time that sending took.
        curve: (share, ms) from 0 to 1, of the calls of ``latency``.
        confidence: The confidence of ``missed_below`` and ``missed_above``, 0 to 1.
        missed_below: The highest share of first calls that misses the budget, with that confidence (binomial).
        missed_above: The lowest share that misses the budget, with that confidence.
        faults: Why the run is not valid; empty if it is.
        thresholds: The user's own, and whether they held.
        causes: What the app's log says about the calls that missed, if the harness runs the app.
        drift: Of a soak, ``memory_kb_per_hour`` and ``p50_ms_per_hour``, by least squares over the second half.
        warmup: All calls before the measured part, good or not.
        recovery_s: Of a spike, the time from its end until latency was normal; None if it did not become normal.
    """

    config: LoadConfig
    counts: LoadCounts
    outcomes: dict[str, int]
    endings: dict[AttemptOutcome, int]
    latency: Percentiles | None
    failed_latency: Percentiles | None
    service: Percentiles | None
    lateness: Percentiles | None
    achieved_rate_per_s: float
    confidence: float
    missed_below: float
    faults: tuple[LoadFault, ...] = ()
    thresholds: tuple[LoadThreshold, ...] = ()
    causes: tuple[CauseInLog, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    points: tuple[Point, ...] = ()
    slices: tuple[Slice, ...] = ()
    phases: tuple[TimingPhase, ...] = ()
    steps: tuple[RateStep, ...] = ()
    memory: tuple[MemorySample, ...] = ()
    cold_starts: tuple[ColdStart, ...] = ()
    drift: dict[str, float] | None = None
    missed_above: float = 0.0
    warmup: Percentiles | None = None
    recovery_s: float | None = None

    @property
    def calls(self) -> int:
        """Return the number of first calls sent."""
        return self.counts.minted + self.counts.lost

    @property
    def missed_share(self) -> float:
        """Return the observed share of first calls that missed the budget, 0 to 1."""
        return self.counts.first_calls_missed / self.calls if self.calls else 0.0

    @property
    def valid(self) -> bool:
        """Whether the run is valid."""
        return not self.faults

    @property
    def held_steps(self) -> Sequence[RateStep]:
        """Return the rates that held before the first that did not."""
        return list(takewhile(lambda step: step.held and step.valid, self.steps))

    @property
    def crossed(self) -> Sequence[LoadThreshold]:
        """Return the user's thresholds that did not hold; none if the generator may be why."""
        return (
            []
            if any(fault.name != "samples" for fault in self.faults)
            else [threshold for threshold in self.thresholds if not threshold.held]
        )

    @property
    def sentence(self) -> str:
        """Return how many first calls failed or were late, then what that proves; of a step run the rates that held."""
        if self.config.profile == "step":
            return self._rates_held()
        missed, calls = self.counts.first_calls_missed, self.calls
        share = f" ({percent(self.missed_share)})" if missed else ""
        late = f"failed or took over {self.config.budget_ms:,} ms at the first attempt"
        counted = f"{missed:,} of {calls:,} calls under load{share} {late}"
        return f"{counted}; {self.proof}" if self.proof else counted

    @property
    def proof(self) -> str:
        """Return what the counts prove about the share of calls that miss; empty if they prove nothing."""
        given = f"with {self.confidence * 100:.6g} % confidence"
        # Both are rounded so that the bound does not look better than it is.
        if self.missed_above > self.config.max_missed_share:
            above = math.floor(round(self.missed_above * 10_000, 6)) / 100
            return f"{given}, at least {above:.2f} % of calls fail or are late"
        below = math.ceil(round(self.missed_below * 10_000, 6)) / 100
        return f"{given}, fewer than {below:.2f} % of calls fail or are late" if below < 100 else ""

    def _rates_held(self) -> str:
        held = self.held_steps
        best = f"{held[-1].rate_per_s:g} sign-ins a second hold" if held else ""
        if len(held) == len(self.steps):
            return f"{best}, the highest rate that was tried: the limit is above it" if held else "no rate was tried"
        following = self.steps[len(held)]
        if not following.valid:
            late = f"at {following.rate_per_s:g} a second the generator was late or dropped calls"
            return f"{best}; {late}, which proves nothing" if held else f"nothing is proved: {late}"
        return f"{best}, {following.rate_per_s:g} do not" if held else "none of the rates that were tried holds"

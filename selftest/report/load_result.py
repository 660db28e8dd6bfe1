"""What a load run found: counts, exact percentiles, where the time went, and whether the run can be believed.

It is what the reports are drawn from, and small whatever the run's length: the samples themselves are in the raw file.
Latency counts from the moment a call was due, so that a call sent late is not flattered (RFC 2544 speaks of offered
load; Gil Tene named the mistake "coordinated omission").
"""

import math
from dataclasses import dataclass
from typing import Literal

type Profile = Literal["load", "soak", "step", "spike"]
type Arrivals = Literal["constant", "poisson"]
#: Of one attempt. ``late``: a good answer after the budget; ``failed``: anything that Entra would not mint from, also
#: in time; ``unanswered``: nothing came before the run stopped waiting; ``dropped``: never sent.
type AttemptOutcome = Literal["in-budget", "late", "failed", "unanswered", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadConfig:
    """What was asked for.

    Attributes:
        rate_per_s: sign-ins due a second; of a step or spike profile the highest.
        duration_s: of the measured part, without the warm-up.
        budget_ms: Entra's timeout for one attempt, 200 to 2000: what judges.
        timeout_ms: when the run stops waiting for an attempt, so that it sees how late a late answer is.
        max_retries: 0 or 1, Entra's.
        seed: of Poisson arrivals and of the varieties' order.
        max_missed_share: the share of first calls that may miss the budget, 0 to 1.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCounts:
    """How the sign-ins of the measured part ended. ``signin-log`` is the sum of minted, lost and dropped.

    Of a run that was interrupted, only those that had ended.

    Attributes:
        signins: how many were due.
        minted: got their token, at the first call or at the retry.
        lost: neither the first call nor the retry was good and in budget.
        dropped: never sent, because too many calls were under way.
        first_calls_missed: first calls that were late, failed or unanswered: "calls over budget" and worse.
        retries: second calls, which Entra makes after a timeout or a broken connection.
    """

    signins: int
    minted: int
    lost: int
    dropped: int
    first_calls_missed: int
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Exact percentiles by nearest rank, in milliseconds; ``samples`` says of how many."""

    samples: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    p99_9_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One reason why the run proves nothing.

    Attributes:
        name: lateness, rate, dropped, samples or clock.
        measured: with its unit.
        limit: with its unit.
        recommendation: what to change before running it again.
    """

    name: str
    measured: str
    limit: str
    recommendation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One first call, for the picture of latency over time; long runs keep every miss and a share of the rest."""

    due_s: float
    latency_ms: float
    outcome: AttemptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One interval of the run, for the picture over time."""

    start_s: float
    seconds: float
    calls: int
    missed: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    lateness_max_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase of the endpoint's ``Server-Timing``, and ``network and host``: what the endpoint did not see.

    Attributes:
        mean_share: of the whole latency, 0 to 1.
        slowest_share: the same in the slowest hundredth of the calls.
    """

    name: str
    calls: int
    p50_ms: float
    p99_ms: float
    mean_share: float
    slowest_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
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
    """The resident memory of the endpoint's process, where it runs here."""

    at_s: float
    resident_kb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """One start of a fresh worker process, in milliseconds from its spawn; each contains the one before.

    Attributes:
        indexed_ms: the app is imported and its functions are known; None where the host does not say.
        answered_ms: the first call, sent as soon as it listened, was answered.
        minted: whether Entra would have minted from that answer.
    """

    listening_ms: float
    indexed_ms: float | None
    answered_ms: float
    minted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """One load run.

    Attributes:
        outcomes: first calls by what Entra would log: ``minted``, ``late``, or a code such as ``1003002``.
        latency: of first calls with a good answer, in budget or late, from due to end; None where there was none.
        missed_latency: of those without one, apart from the others.
        service: of the good ones, from sent to end: what a closed-loop tester would show.
        lateness: from due to sent, of all: how well the generator kept its own schedule.
        achieved_rate_per_s: of calls that were sent, over the time that sending took.
        curve: (share, ms) from 0 to 1, of all first calls that were answered.
        confidence: 0.99: how sure ``missed_below`` is.
        missed_below: with that confidence at most this share of first calls misses the budget (binomial).
        missed_above: with that confidence at least this share does.
        faults: none: the run is valid.
        drift: of a soak: ``memory_kb_per_hour`` and ``p50_ms_per_hour``, by least squares over the second half.
        warmup: latency of the calls before the measured part, good or not.
        recovery_s: of a spike: how long after its end the latency was back; None where it was not, and of others.
    """

    config: LoadConfig
    counts: LoadCounts
    outcomes: dict[str, int]
    latency: Percentiles | None
    missed_latency: Percentiles | None
    service: Percentiles | None
    lateness: Percentiles | None
    achieved_rate_per_s: float
    confidence: float
    missed_below: float
    faults: tuple[Fault, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    points: tuple[Point, ...] = ()
    slices: tuple[Slice, ...] = ()
    phases: tuple[Phase, ...] = ()
    steps: tuple[Step, ...] = ()
    memory: tuple[MemorySample, ...] = ()
    cold_starts: tuple[ColdStart, ...] = ()
    drift: dict[str, float] | None = None
    missed_above: float = 0.0
    warmup: Percentiles | None = None
    recovery_s: float | None = None

    @property
    def calls(self) -> int:
        """Give how many first calls were sent: what the shares are shares of."""
        return self.counts.minted + self.counts.lost

    @property
    def valid(self) -> bool:
        """Say whether the run proves anything."""
        return not self.faults

    @property
    def sentence(self) -> str:
        """Say how many calls missed the budget, and what that proves; of a step run the highest rate that holds."""
        if self.config.profile == "step":
            return self._highest()
        missed = self.counts.first_calls_missed
        told = f"{self.calls:,} calls, {missed:,} not answered well in {self.config.budget_ms:,} ms"
        if not missed:
            told = f"{self.calls:,} calls, 0 over {self.config.budget_ms:,} ms"
        # Rounded up: the bound must not look better than it is.
        below = math.ceil(round(self.missed_below * 10_000, 6)) / 100
        return f"{told}: with {self.confidence * 100:.6g} % confidence fewer than {below:.2f} % miss"

    def _highest(self) -> str:
        held = 0.0
        for step in self.steps:
            if not (step.held and step.valid):
                break
            held = step.rate_per_s
        return f"{held:g} sign-ins a second is the highest rate that holds" if held else "none of the rates holds"

"""Makes the result of a load run from its samples, for a running run and for a stored one."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Final

from selftest.load.measured import thinned_samples
from selftest.load.measured.samples import OUTCOMES, Samples
from selftest.load.measured.statistics import lower_bound, percentile, percentiles, slope, upper_bound
from selftest.load.measured.thresholds import judged
from selftest.load.measured.validity import MAX_LATENESS_P99_MS, MIN_RATE_SHARE, Evidence, faults_of
from selftest.load.plan.profiles import LoadPlan
from selftest.report.load_result import (
    AttemptOutcome,
    CauseInLog,
    ColdStart,
    LoadCounts,
    LoadResult,
    MemorySample,
    Percentiles,
    RateStep,
    Slice,
    TimingPhase,
)

_IN_BUDGET: Final = OUTCOMES.index("in-budget")
#: The share of the calls that counts as the slowest.
_SLOWEST: Final = 0.01
_HOUR_S: Final = 3600.0
#: Differences below this are noise of the machine.
_NOISE_MS: Final = 5.0
_USUAL_TIMES: Final = 1.5
_WINDOW_S: Final = 1.0


@dataclass(kw_only=True)
class LoadRecord:
    """The data of one load run in the raw file.

    Attributes:
        scheduled: The number of calls that were due in the measured part.
        elapsed_s: The duration of the measured part until its last response; None if the run was interrupted.
        wall_s: The same by the wall clock.
    """

    plan: LoadPlan
    scheduled: int
    samples: Samples = field(default_factory=Samples)
    memory: list[MemorySample] = field(default_factory=list)
    cold_starts: list[ColdStart] = field(default_factory=list)
    causes: list[CauseInLog] = field(default_factory=list)
    elapsed_s: float | None = None
    wall_s: float | None = None


def summarize(record: LoadRecord) -> LoadResult:
    """Return the result of a run, also of an interrupted one."""
    samples, plan = record.samples, record.plan
    config = plan.config
    missed = sum(outcome != _IN_BUDGET for outcome in samples.outcomes)
    lost = sum(samples.lost)
    calls = len(samples)
    below = upper_bound(missed, calls, plan.confidence)
    above = lower_bound(missed, calls, plan.confidence)
    lateness = percentiles(samples.lateness_ms)
    achieved_per_s = _achieved(record)
    evidence = Evidence(
        calls=calls,
        missed=missed,
        dropped=len(samples.dropped_s),
        lateness=lateness,
        asked_rate_per_s=record.scheduled / config.duration_s,
        achieved_rate_per_s=achieved_per_s,
        elapsed_s=record.elapsed_s or 0.0,
        clock_difference_s=(record.wall_s or 0.0) - (record.elapsed_s or 0.0),
        missed_below=below,
        missed_above=above,
        confidence=plan.confidence,
        interrupted=record.elapsed_s is None,
    )
    slices = thinned_samples.slices(samples, config.duration_s, config.budget_ms)
    counts = LoadCounts(
        signins=calls + len(samples.dropped_s),
        minted=calls - lost,
        lost=lost,
        dropped=len(samples.dropped_s),
        first_calls_missed=missed,
        retries=samples.retries,
    )
    endings = _endings(samples)
    refused = [samples.refused(place, config.budget_ms) for place in range(calls)]
    answered = [not each for each in refused]
    latency = percentiles(compress(samples.latency_ms, answered))
    return LoadResult(
        config=config,
        counts=counts,
        outcomes=dict(samples.logged.most_common()),
        endings=endings,
        latency=latency,
        failed_latency=percentiles(compress(samples.latency_ms, refused)),
        service=percentiles(compress(samples.service_ms, answered)),
        lateness=lateness,
        achieved_rate_per_s=round(achieved_per_s, 3),
        confidence=plan.confidence,
        missed_below=below,
        missed_above=above,
        faults=faults_of(config, evidence),
        thresholds=tuple(judged(config.thresholds, counts, endings, latency)),
        causes=tuple(record.causes),
        curve=thinned_samples.curve(compress(samples.latency_ms, answered)),
        points=thinned_samples.points(samples),
        slices=slices,
        phases=tuple(_phases(samples, config.budget_ms)),
        steps=tuple(_steps(record)) if config.profile in {"step", "spike"} else (),
        memory=tuple(record.memory),
        cold_starts=tuple(record.cold_starts),
        drift=_drift(record, slices) if config.profile == "soak" else None,
        warmup=percentiles(samples.warmup_ms),
        recovery_s=_recovery_s(record) if config.profile == "spike" else None,
    )


def _endings(samples: Samples) -> dict[AttemptOutcome, int]:
    counted = Counter(samples.outcomes)
    found = {outcome: counted[place] for place, outcome in enumerate(OUTCOMES)} | {"dropped": len(samples.dropped_s)}
    return {outcome: calls for outcome, calls in found.items() if calls}


def _achieved(record: LoadRecord) -> float:
    """Return the rate over the time of sending, which is longer than planned if the generator was late."""
    sent_for_s = record.samples.last_sent_s
    if record.elapsed_s is not None:
        sent_for_s = max(sent_for_s, record.plan.config.duration_s)
    return len(record.samples) / sent_for_s if sent_for_s else 0.0


def _phases(samples: Samples, budget_ms: float) -> Iterator[TimingPhase]:
    """Yield each phase with its share of all latency, and of the latency of the slowest hundredth."""
    if not samples.phases_ms:
        return
    # A fast failure would make each phase look fast; without any other call there is nothing else to show.
    every = [place for place in range(len(samples)) if _has_phases(samples, place)]
    timed = [place for place in every if not samples.refused(place, budget_ms)] or every
    by_latency = sorted(timed, key=samples.latency_ms.__getitem__)
    slowest = by_latency[-max(1, math.ceil(len(timed) * _SLOWEST)) :]
    for name, column in samples.phases_ms.items():
        spent = sorted(column[place] for place in timed if not math.isnan(column[place]))
        if spent:
            yield TimingPhase(
                name=name,
                calls=len(spent),
                p50_ms=round(percentile(spent, 0.5), 3),
                p99_ms=round(percentile(spent, 0.99), 3),
                mean_share=_share(samples, column, timed),
                slowest_share=_share(samples, column, slowest),
            )


def _has_phases(samples: Samples, place: int) -> bool:
    return any(not math.isnan(column[place]) for column in samples.phases_ms.values())


def _share(samples: Samples, column: Sequence[float], places: Sequence[int]) -> float:
    whole_ms = math.fsum(samples.latency_ms[place] for place in places)
    part_ms = math.fsum(column[place] for place in places if not math.isnan(column[place]))
    return round(min(1.0, part_ms / whole_ms), 6) if whole_ms > 0 else 0.0


def _steps(record: LoadRecord) -> Iterator[RateStep]:
    """Yield each rate, judged by the observed share of misses, because a step is too short for a proof."""
    samples, config = record.samples, record.plan.config
    start_s = 0.0
    for segment, places in zip(
        record.plan.segments, thinned_samples.places_of(samples, record.plan.segments), strict=True
    ):
        end_s = start_s + segment.duration_s
        dropped = sum(start_s <= due_s < end_s for due_s in samples.dropped_s)
        missed = sum(samples.outcomes[place] != _IN_BUDGET for place in places)
        lost = sum(samples.lost[place] for place in places)
        answered = [samples.latency_ms[place] for place in places if not samples.refused(place, config.budget_ms)]
        latency = percentiles(answered or [samples.latency_ms[place] for place in places])
        lateness = percentiles([samples.lateness_ms[place] for place in places])
        enough = len(places) >= MIN_RATE_SHARE * math.floor(segment.rate_per_s * segment.duration_s)
        yield RateStep(
            rate_per_s=segment.rate_per_s,
            seconds=segment.duration_s,
            signins=len(places) + dropped,
            lost=lost,
            first_calls_missed=missed,
            p50_ms=latency.p50_ms if latency else 0.0,
            p99_ms=latency.p99_ms if latency else 0.0,
            held=bool(places) and not lost and not dropped and missed <= config.max_missed_share * len(places),
            valid=_punctual(lateness) and not dropped and (enough or config.arrivals == "poisson"),
        )
        start_s = end_s


def _punctual(lateness: Percentiles | None) -> bool:
    return lateness is not None and lateness.p99_ms <= MAX_LATENESS_P99_MS


def _drift(record: LoadRecord, slices: Sequence[Slice]) -> dict[str, float] | None:
    """Return the slopes over the second half; during the first half caches fill."""
    half_s = record.plan.config.duration_s / 2
    memory = slope([(each.at_s, float(each.resident_kb)) for each in record.memory if each.at_s >= half_s])
    p50_ms = slope([(each.start_s, each.p50_ms) for each in slices if each.start_s >= half_s])
    rises = {"memory_kb_per_hour": memory, "p50_ms_per_hour": p50_ms}
    return {name: round(rise * _HOUR_S, 3) for name, rise in rises.items() if rise is not None} or None


def _recovery_s(record: LoadRecord) -> float | None:
    """Return how long after the spike, in seconds, the median of a second was back to the usual."""
    samples, segments = record.samples, record.plan.segments
    before, _, after = thinned_samples.places_of(samples, segments)
    if not before or not after:
        return None
    usual_ms = percentile(sorted(samples.latency_ms[place] for place in before), 0.5)
    spike_ends_s = segments[0].duration_s + segments[1].duration_s
    windows: dict[int, list[float]] = {}
    for place in after:
        if samples.refused(place, record.plan.config.budget_ms):
            continue
        window = int((samples.due_s[place] - spike_ends_s) / _WINDOW_S)
        windows.setdefault(window, []).append(samples.latency_ms[place])
    for window in sorted(windows):
        if percentile(sorted(windows[window]), 0.5) <= _USUAL_TIMES * usual_ms + _NOISE_MS:
            return window * _WINDOW_S
    return None

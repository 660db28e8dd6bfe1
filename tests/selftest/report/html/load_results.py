"""Load results for the tests of the page: made up, summarized from calls, and the same each time."""

import math
import random
from collections import Counter
from dataclasses import replace

from selftest.load.measured.statistics import lower_bound, upper_bound
from selftest.report.load_result import (
    AttemptOutcome,
    ColdStart,
    LoadConfig,
    LoadCounts,
    LoadResult,
    Percentiles,
    Point,
    Slice,
    TimingPhase,
)

_SHARES = (*(n / 100 for n in range(100)), 0.995, 0.999, 0.9995, 1.0)


def percentiles(latencies_ms: list[float]) -> Percentiles:
    """Take percentiles by nearest rank."""
    ordered = sorted(latencies_ms)

    def at(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Percentiles(
        samples=len(ordered),
        p50_ms=at(0.5),
        p90_ms=at(0.9),
        p95_ms=at(0.95),
        p99_ms=at(0.99),
        p99_9_ms=at(0.999),
        max_ms=ordered[-1],
    )


def config(**changes: object) -> LoadConfig:
    """Say what was asked for."""
    asked = LoadConfig(
        profile="load",
        rate_per_s=20,
        duration_s=60,
        warmup_s=5,
        arrivals="constant",
        budget_ms=2000,
        timeout_ms=10000,
        max_retries=1,
        max_in_flight=2000,
        seed=1,
    )
    return replace(asked, **changes)  # type: ignore[arg-type] # the fields of LoadConfig, chosen by the test


def points(calls: int, duration_s: float, *, slow: float = 0.0, failed: float = 0.0) -> tuple[Point, ...]:
    """Make calls: most around 30 ms, a share over the budget, a share that fails."""
    rng = random.Random(3)  # noqa: S311 - the same numbers each time
    made = []
    for index in range(calls):
        latency_ms = rng.lognormvariate(math.log(28), 0.42)
        outcome: AttemptOutcome = "in-budget"
        if rng.random() < 0.012:
            latency_ms *= rng.uniform(3, 11)
        drawn = rng.random()
        if drawn < slow:
            latency_ms, outcome = rng.uniform(2001, 4200), "late"
        elif drawn < slow + failed:
            outcome = "failed"
        elif drawn > 1 - slow / 10:
            latency_ms, outcome = 10000.0, "unanswered"
        made.append(Point(due_s=index * duration_s / calls, latency_ms=latency_ms, outcome=outcome))
    return tuple(made)


def load(made: tuple[Point, ...], asked: LoadConfig, **changes: object) -> LoadResult:
    """Summarize calls."""
    ordered = sorted(point.latency_ms for point in made if point.outcome != "failed")
    failed = [point.latency_ms for point in made if point.outcome == "failed"]
    missed = [point for point in made if point.outcome != "in-budget"]
    endings = dict(Counter(point.outcome for point in made))
    logged = Counter({"in-budget": "minted", "failed": "1003002"}.get(point.outcome, "1003005") for point in made)
    lost = len(missed) // 9
    result = LoadResult(
        config=asked,
        counts=LoadCounts(
            signins=len(made),
            minted=len(made) - lost,
            lost=lost,
            dropped=0,
            first_calls_missed=len(missed),
            retries=len(missed),
        ),
        outcomes=dict(logged.most_common()),
        endings=endings,
        latency=percentiles(ordered) if ordered else None,
        failed_latency=percentiles(failed) if failed else None,
        service=percentiles([latency_ms * 0.98 for latency_ms in ordered]) if ordered else None,
        lateness=percentiles([min(point.latency_ms / 30, 4.0) for point in made]),
        achieved_rate_per_s=asked.rate_per_s,
        confidence=0.99,
        missed_below=upper_bound(len(missed), len(made), 0.99),
        missed_above=lower_bound(len(missed), len(made), 0.99),
        curve=tuple((share, ordered[max(0, math.ceil(share * len(ordered)) - 1)]) for share in _SHARES if ordered),
        points=made,
        slices=_slices(made, asked.duration_s),
        phases=PHASES,
        cold_starts=COLD_STARTS,
    )
    return replace(result, **changes)  # type: ignore[arg-type] # the fields of LoadResult, chosen by the test


def _slices(made: tuple[Point, ...], duration_s: float, number: int = 30) -> tuple[Slice, ...]:
    length_s = duration_s / number
    cut = [[point for point in made if int(point.due_s / length_s) == index] for index in range(number)]
    return tuple(
        Slice(
            start_s=index * length_s,
            seconds=length_s,
            calls=len(piece),
            missed=sum(point.outcome != "in-budget" for point in piece),
            p50_ms=percentiles([point.latency_ms for point in piece]).p50_ms,
            p99_ms=percentiles([point.latency_ms for point in piece]).p99_ms,
            max_ms=max(point.latency_ms for point in piece),
            lateness_max_ms=0.9 + (index * 7 % 11) / 6,
        )
        for index, piece in enumerate(cut)
        if piece
    )


def _phase(name: str, mean_share: float, slowest_share: float) -> TimingPhase:
    return TimingPhase(
        name=name,
        calls=1200,
        p50_ms=30 * mean_share,
        p99_ms=170 * slowest_share,
        mean_share=mean_share,
        slowest_share=slowest_share,
    )


PHASES = (
    _phase("provider", 0.69, 0.46),
    _phase("downstream_call", 0.12, 0.09),
    _phase("network and host", 0.1, 0.38),
    _phase("token", 0.04, 0.03),
    _phase("downstream_token", 0.01, 0.01),
    _phase("body", 0.02, 0.01),
    _phase("keys", 0.01, 0.01),
    _phase("reply", 0.01, 0.01),
)
COLD_STARTS = tuple(
    ColdStart(
        listening_ms=1180 + 40 * index,
        indexed_ms=1120 + 40 * index,
        answered_ms=1280 + 66 * index,
        minted=True,
    )
    for index in range(3)
)

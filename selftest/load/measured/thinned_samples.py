"""A selection of a run's samples for charts; nothing is judged by it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from selftest.load.measured.samples import OUTCOMES, Samples
from selftest.load.measured.statistics import percentile
from selftest.load.plan.schedule import Segment
from selftest.report.load_result import Point, Slice

_MAX_POINTS: Final = 2000
_MAX_SLICES: Final = 60
_IN_BUDGET: Final = OUTCOMES.index("in-budget")
#: Every hundredth, and beyond 99 % nine points for each further nine.
_SHARES: Final = (
    *(place / 100 for place in range(1, 99)),
    *(1 - (10 - tenth) / 10**nines for nines in range(3, 7) for tenth in range(9)),
    1.0,
)


def curve(latencies_ms: Iterable[float]) -> tuple[tuple[float, float], ...]:
    """Return (share, ms) of latencies in any order; the last share is 1."""
    ordered = sorted(latencies_ms)
    if not ordered:
        return ()
    # A share between the last two calls would repeat the maximum.
    shares = [share for share in _SHARES if share == 1 or (1 - share) * len(ordered) >= 1]
    drawn = ((round(share, 7), round(percentile(ordered, share), 3)) for share in shares)
    return ((0.0, round(ordered[0], 3)), *drawn)


def points(samples: Samples) -> tuple[Point, ...]:
    """Return all misses, up to the limit of points, and an even selection of the other calls, in order of time."""
    missed = [place for place, outcome in enumerate(samples.outcomes) if outcome != _IN_BUDGET]
    good = [place for place, outcome in enumerate(samples.outcomes) if outcome == _IN_BUDGET]
    kept = [*_thinned(missed, _MAX_POINTS), *_thinned(good, max(_MAX_POINTS - len(missed), _MAX_POINTS // 4))]
    kept.sort(key=lambda place: samples.due_s[place])
    return tuple(
        Point(
            due_s=round(samples.due_s[place], 3),
            latency_ms=round(samples.latency_ms[place], 3),
            outcome=OUTCOMES[samples.outcomes[place]],
        )
        for place in kept
    )


def slices(samples: Samples, duration_s: float, budget_ms: float) -> tuple[Slice, ...]:
    """Return the run in at most sixty intervals of whole or half seconds, without empty ones.

    Failures within the budget count in the times of an interval only if there was no other call in it.
    """
    width_s = max(0.5, math.ceil(2 * duration_s / _MAX_SLICES) / 2)
    places: dict[int, list[int]] = {}
    for place, due_s in enumerate(samples.due_s):
        places.setdefault(int(due_s / width_s), []).append(place)
    return tuple(
        _slice(samples, budget_ms, start_s=index * width_s, seconds=width_s, places=places[index])
        for index in sorted(places)
    )


def places_of(samples: Samples, segments: Sequence[Segment]) -> Iterator[list[int]]:
    """Yield, for each segment, the indexes of the calls that were due in it."""
    ends_s: list[float] = []
    for segment in segments:
        ends_s.append((ends_s[-1] if ends_s else 0.0) + segment.duration_s)
    found: list[list[int]] = [[] for _ in segments]
    for place, due_s in enumerate(samples.due_s):
        index = next((index for index, end_s in enumerate(ends_s) if due_s < end_s), len(ends_s) - 1)
        found[index].append(place)
    yield from found


def _thinned(places: Sequence[int], most: int) -> Sequence[int]:
    return places if len(places) <= most else places[:: math.ceil(len(places) / most)]


def _slice(samples: Samples, budget_ms: float, *, start_s: float, seconds: float, places: Sequence[int]) -> Slice:
    answered = [place for place in places if not samples.refused(place, budget_ms)] or places
    ordered = sorted(samples.latency_ms[place] for place in answered)
    return Slice(
        start_s=start_s,
        seconds=seconds,
        calls=len(places),
        missed=sum(samples.outcomes[place] != _IN_BUDGET for place in places),
        p50_ms=round(percentile(ordered, 0.5), 3),
        p99_ms=round(percentile(ordered, 0.99), 3),
        max_ms=round(ordered[-1], 3),
        lateness_max_ms=round(max(samples.lateness_ms[place] for place in places), 3),
    )

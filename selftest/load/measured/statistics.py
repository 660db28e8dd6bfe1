"""The statistics of the verdict: exact percentiles, the exact binomial bound, and the slope of a drift.

There is no histogram: at two seconds the usual ones round by tens of milliseconds, and misses are counted, not
estimated. The bound is Clopper and Pearson's (1934), one-sided; MLPerf LoadGen publishes the same numbers (459 calls
without a miss prove 1 % with 99 % confidence).
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from selftest.report.load_result import Percentiles

#: Terms that are smaller than this share of the sum do not change it.
_NEGLIGIBLE: Final = 1e-17
#: Enough halvings of the interval from 0 to 1 for the precision of a float.
_HALVINGS: Final = 60


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the percentile of this share by nearest rank.

    Args:
        ordered: The samples in ascending order, not empty.
        share: The share, above 0 and at most 1.
    """
    # A product such as 0.999 * 1000 must not be rounded up to the next rank.
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def percentiles(samples_ms: Iterable[float]) -> Percentiles | None:
    """Return the percentiles of samples in any order; None without samples."""
    ordered = sorted(samples_ms)
    if not ordered:
        return None
    p50, p90, p95, p99, p99_9 = (round(percentile(ordered, share), 3) for share in (0.5, 0.9, 0.95, 0.99, 0.999))
    return Percentiles(
        samples=len(ordered),
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        p99_9_ms=p99_9,
        max_ms=round(ordered[-1], 3),
    )


def upper_bound(misses: int, calls: int, confidence: float) -> float:
    """Return the upper bound of the true share of misses with this confidence; 1 without calls."""
    if misses >= calls:
        return 1.0
    low, high = misses / calls, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(misses, calls, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def lower_bound(misses: int, calls: int, confidence: float) -> float:
    """Return the lower bound of the true share of misses with this confidence; 0 without calls."""
    return 1 - upper_bound(calls - misses, calls, confidence) if calls else 0.0


def calls_needed(misses: int, share: float, confidence: float) -> int:
    """Return the fewest calls that prove, with this number of misses, that a smaller share misses."""
    low, high = misses, max(2 * misses, 1)
    while _at_most(misses, high, share) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _at_most(misses, middle, share) > 1 - confidence else (low, middle)
    return high


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the slope of the points by least squares; None if there is no line."""
    if len(points) < 2:
        return None
    mean_x = math.fsum(x for x, _ in points) / len(points)
    mean_y = math.fsum(y for _, y in points) / len(points)
    spread = math.fsum((x - mean_x) ** 2 for x, _ in points)
    return math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else None


def _at_most(misses: int, calls: int, share: float) -> float:
    """Return the probability of at most this number of misses, if each call misses with this probability."""
    if misses >= calls or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    log_first = (
        math.lgamma(calls + 1)
        - math.lgamma(misses + 1)
        - math.lgamma(calls - misses + 1)
        + misses * math.log(share)
        + (calls - misses) * math.log1p(-share)
    )
    term = total = 1.0
    for count in range(misses, 0, -1):
        # The term of count - 1 from that of count; the terms decrease beyond the mean.
        term *= count * (1 - share) / ((calls - count + 1) * share)
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return min(1.0, math.exp(log_first + math.log(total)))

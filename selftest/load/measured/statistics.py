"""The arithmetic of the verdict: exact percentiles, the exact binomial bound, and the slope of a drift.

No histogram: at two seconds the usual ones round by tens of milliseconds, and misses are to be counted, not estimated.
The bound is Clopper and Pearson's (1934), one-sided; MLPerf LoadGen publishes the same numbers (459 calls without a
miss prove 1 % with 99 % confidence).
"""

import math
from collections.abc import Sequence
from typing import Final

from selftest.report.load_result import Percentiles

#: Terms of the tail that are so much smaller than its sum so far change nothing.
_NEGLIGIBLE: Final = 1e-17
#: Halvings of the interval from 0 to 1: more than a float can tell apart.
_HALVINGS: Final = 60


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the smallest sample that at least this share of all samples does not exceed (nearest rank).

    Args:
        ordered: Ascending, not empty.
        share: Above 0, to 1.
    """
    # A product such as 0.999 * 1000 must not be rounded up past the rank that it is.
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def percentiles(samples_ms: Sequence[float]) -> Percentiles | None:
    """Give the percentiles of samples in any order; None where there is none."""
    if not samples_ms:
        return None
    ordered = sorted(samples_ms)
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
    """Give the share that, with this confidence, the true share of misses does not exceed; 1 without calls."""
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
    """Give the share that, with this confidence, the true share of misses exceeds; 0 without calls."""
    return 1 - upper_bound(calls - misses, calls, confidence) if calls else 0.0


def calls_needed(misses: int, share: float, confidence: float) -> int:
    """Give the fewest calls that prove, with so many misses among them, that fewer than this share miss."""
    low, high = misses, max(2 * misses, 1)
    while _at_most(misses, high, share) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _at_most(misses, middle, share) > 1 - confidence else (low, middle)
    return high


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Give the rise a unit of the first coordinate, by least squares; None where there is no line."""
    if len(points) < 2:
        return None
    mean_x = math.fsum(x for x, _ in points) / len(points)
    mean_y = math.fsum(y for _, y in points) / len(points)
    spread = math.fsum((x - mean_x) ** 2 for x, _ in points)
    return math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else None


def _at_most(misses: int, calls: int, share: float) -> float:
    """Give the probability of so many misses or fewer, where each call misses with this share."""
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
        # The term of count - 1, from that of count; beyond the mean they only get smaller.
        term *= count * (1 - share) / ((calls - count + 1) * share)
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return min(1.0, math.exp(log_first + math.log(total)))

"""The arithmetic of the verdict, against published numbers and against the definition."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftest.load.measured.statistics import calls_needed, lower_bound, percentile, percentiles, slope, upper_bound


def at_most(misses: int, calls: int, share: float) -> float:
    """Add the binomial distribution up as it is defined."""
    return math.fsum(
        math.comb(calls, count) * share**count * (1 - share) ** (calls - count) for count in range(misses + 1)
    )


@pytest.mark.parametrize(("misses", "calls"), [(0, 459), (1, 662), (4, 1157)])
def test_the_calls_that_mlperf_publishes(misses: int, calls: int) -> None:
    """1 % with 99 % confidence: so many calls with so many misses prove it, and one fewer does not."""
    assert calls_needed(misses, 0.01, 0.99) == calls
    assert upper_bound(misses, calls, 0.99) <= 0.01
    assert upper_bound(misses, calls - 1, 0.99) > 0.01


@settings(deadline=None)
@given(calls=st.integers(1, 300), share=st.floats(0, 1), confidence=st.floats(0.5, 0.999))
def test_the_bounds_are_clopper_and_pearson_s(calls: int, share: float, confidence: float) -> None:
    """At the upper bound so few misses are just too unlikely, at the lower one so many."""
    misses = round(share * calls)
    upper, lower = upper_bound(misses, calls, confidence), lower_bound(misses, calls, confidence)
    assert lower <= misses / calls <= upper
    if misses < calls:
        assert at_most(misses, calls, upper) == pytest.approx(1 - confidence, rel=1e-6)
    if misses:
        assert 1 - at_most(misses - 1, calls, lower) == pytest.approx(1 - confidence, rel=1e-6)


@pytest.mark.parametrize(
    ("misses", "calls", "upper", "lower"), [(0, 0, 1.0, 0.0), (10, 10, 1.0, 0.631), (0, 10, 0.369, 0.0)]
)
def test_the_ends(misses: int, calls: int, upper: float, lower: float) -> None:
    """No call proves nothing; all missed and none missed have one bound each."""
    assert upper_bound(misses, calls, 0.99) == pytest.approx(upper, abs=1e-3)
    assert lower_bound(misses, calls, 0.99) == pytest.approx(lower, abs=1e-3)


def test_millions_of_calls_are_no_trouble() -> None:
    """The largest run's bound is close around its share."""
    upper = upper_bound(50_000, 5_000_000, 0.99)
    assert 0.01 < upper < 0.0102
    assert lower_bound(50_000, 5_000_000, 0.99) == pytest.approx(0.02 - upper, abs=1e-5)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.001, 1))
def test_a_percentile_is_a_sample_and_enough_are_below(samples: list[float], share: float) -> None:
    """Nearest rank: at least the share is not above it, and with the next smaller sample it would be less."""
    ordered = sorted(samples)
    found = percentile(ordered, share)
    assert found in samples
    assert sum(sample <= found for sample in samples) >= share * len(samples) - 1e-6
    assert sum(sample < found for sample in samples) < share * len(samples) + 1e-6


def test_percentiles_of_a_thousand() -> None:
    """The ranks of 1 to 1,000 are the shares themselves."""
    found = percentiles([float(value) for value in range(1000, 0, -1)])
    assert found is not None
    assert (found.samples, found.p50_ms, found.p90_ms, found.p95_ms) == (1000, 500, 900, 950)
    assert (found.p99_ms, found.p99_9_ms, found.max_ms) == (990, 999, 1000)
    assert percentiles([]) is None


def test_nothing_is_rounded_at_two_seconds() -> None:
    """What misses by a tenth of a millisecond is not taken for what does not."""
    found = percentiles([1999.9, 2000.1])
    assert found is not None
    assert (found.p50_ms, found.max_ms) == (1999.9, 2000.1)


def test_a_slope_is_that_of_the_line() -> None:
    """Points on a line give its rise; one point, or a wall, gives none."""
    assert slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert slope([(0, 1)]) is None
    assert slope([(1, 1), (1, 2)]) is None

"""The schedule: absolute, exact, repeatable."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftest.load.plan.schedule import Segment, due_offsets_s

RATES = st.floats(min_value=0.1, max_value=500.0)
DURATIONS = st.floats(min_value=0.1, max_value=20.0)


@settings(deadline=None)
@given(rate_per_s=RATES, duration_s=DURATIONS)
def test_a_constant_rate_neither_drifts_nor_loses_a_call(rate_per_s: float, duration_s: float) -> None:
    """The n-th call is due at n / rate to the last bit, and there are as many as fit."""
    offsets = due_offsets_s([Segment(rate_per_s=rate_per_s, duration_s=duration_s)], "constant", 0)
    assert list(offsets) == [number / rate_per_s for number in range(len(offsets))]
    assert len(offsets) == math.ceil(rate_per_s * duration_s - 1e-9)
    assert offsets[-1] < duration_s + 1e-6


@pytest.mark.parametrize(
    ("rate_per_s", "duration_s", "calls"), [(20, 60, 1200), (0.1, 30, 3), (3, 0.1, 1), (0.01, 1, 1)]
)
def test_as_many_calls_as_a_person_expects(rate_per_s: float, duration_s: float, calls: int) -> None:
    """20 a second for a minute are 1,200 calls: rounding adds none and takes none."""
    assert len(due_offsets_s([Segment(rate_per_s=rate_per_s, duration_s=duration_s)], "constant", 0)) == calls


def test_segments_follow_each_other() -> None:
    """A segment starts when the one before is over."""
    segments = [Segment(rate_per_s=2, duration_s=1), Segment(rate_per_s=4, duration_s=1)]
    assert list(due_offsets_s(segments, "constant", 0)) == [0.0, 0.5, 1.0, 1.25, 1.5, 1.75]


@settings(deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**31), rate_per_s=RATES, duration_s=DURATIONS)
def test_poisson_arrivals_are_repeatable_and_in_order(seed: int, rate_per_s: float, duration_s: float) -> None:
    """A seed gives one schedule, ascending and within the run."""
    segments = [Segment(rate_per_s=rate_per_s, duration_s=duration_s)]
    offsets = due_offsets_s(segments, "poisson", seed)
    assert offsets == due_offsets_s(segments, "poisson", seed)
    assert all(0 <= one <= other < duration_s for one, other in pairwise(offsets))


def test_poisson_arrivals_have_the_spread_that_makes_them_poisson() -> None:
    """The gaps' standard deviation is about their mean, which is about one over the rate; another seed differs."""
    segments = [Segment(rate_per_s=100, duration_s=100)]
    offsets = due_offsets_s(segments, "poisson", 7)
    gaps = [other - one for one, other in pairwise(offsets)]
    mean = math.fsum(gaps) / len(gaps)
    deviation = math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(0.01, rel=0.05)
    assert deviation == pytest.approx(mean, rel=0.05)
    assert offsets != due_offsets_s(segments, "poisson", 8)

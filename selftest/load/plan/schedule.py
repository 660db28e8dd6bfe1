"""The absolute schedule of a load run, computed before the clock starts.

A generator that waits between calls drifts, and one that waits for responses never measures the endpoint's worst
moments ("coordinated omission"). Here the n-th call of a constant rate is due at ``n / rate``, which is computed, not
accumulated.
"""

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selftest.report.load_result import Arrivals

#: The rounding error of the product of a rate and a duration: 0.1/s for 30 s is three calls, not four.
_ROUNDING: float = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of the run with one rate."""

    rate_per_s: float
    duration_s: float


def due_offsets_s(segments: Sequence[Segment], arrivals: Arrivals, seed: int) -> "array[float]":
    """Return when calls are due, in seconds from the start, in ascending order.

    Args:
        segments: The parts of the run in their order.
        arrivals: ``constant``: evenly spaced. ``poisson``: independent callers; the rate is then a mean, and the number
            of calls varies with the seed.
        seed: The seed of Poisson arrivals; the same seed gives the same schedule.
    """
    rng = random.Random(seed)  # noqa: S311 - a schedule must be repeatable, not secret
    offsets = array("d")
    start_s = 0.0
    for segment in segments:
        within = _constant(segment) if arrivals == "constant" else _poisson(segment, rng)
        offsets.extend(start_s + offset_s for offset_s in within)
        start_s += segment.duration_s
    return offsets


def _constant(segment: Segment) -> Iterator[float]:
    calls = math.ceil(segment.rate_per_s * segment.duration_s - _ROUNDING)
    return (number / segment.rate_per_s for number in range(calls))


def _poisson(segment: Segment, rng: random.Random) -> Iterator[float]:
    at_s = rng.expovariate(segment.rate_per_s)
    while at_s < segment.duration_s:
        yield at_s
        at_s += rng.expovariate(segment.rate_per_s)

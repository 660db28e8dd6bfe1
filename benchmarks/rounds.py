"""Measure in rounds: everything in turn, several times, so that a disturbance of the machine affects all alike."""

import asyncio
import random
from collections.abc import Callable, Sequence
from math import ceil
from statistics import median
from typing import Final

#: Fixed, so that the order of a run can be repeated.
SEED: Final = 2000


def shuffled[T](items: Sequence[T], number: int) -> list[T]:
    """Return the items in the order of one round, which differs from round to round."""
    order = list(items)
    random.Random(SEED + number).shuffle(order)  # noqa: S311 (an order, not a secret)
    return order


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return a percentile by nearest rank, in the unit of the samples, which may have any order."""
    return sorted(samples)[max(0, ceil(len(samples) * percent / 100) - 1)]


def median_of_ratios(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios of each round, so that a disturbed round counts once."""
    return median(above / below for above, below in zip(numerators, denominators, strict=True))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop, which the platform's worker uses from Python 3.13 on, or asyncio's loop without it."""
    try:
        import uvloop  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop

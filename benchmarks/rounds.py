"""Rounds: everything is measured again and again in turn, so that a disturbance of the machine hits all alike."""

import asyncio
import random
from collections.abc import Callable, Sequence
from math import ceil
from statistics import median
from typing import Final

#: Fixed, so that a run can be repeated in its order.
SEED: Final = 2000


def shuffled[T](items: Sequence[T], number: int) -> list[T]:
    """Give the order of one round: nothing is always measured first, or always after the same other."""
    order = list(items)
    random.Random(SEED + number).shuffle(order)  # noqa: S311 (an order, not a secret)
    return order


def percentile(samples: Sequence[float], percent: float) -> float:
    """Give a percentile by nearest rank, in the samples' unit."""
    return sorted(samples)[max(0, ceil(len(samples) * percent / 100) - 1)]


def median_of_ratios(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Compare round by round, then take the median: a round that the machine disturbed counts once."""
    return median(above / below for above, below in zip(numerators, denominators, strict=True))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Prefer uvloop, which the platform's worker runs on from Python 3.13."""
    try:
        import uvloop  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop

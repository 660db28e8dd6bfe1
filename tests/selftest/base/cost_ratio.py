"""The cost of work on a text in relation to its size, measured so that a busy machine does not change the verdict."""

import gc
import time
from collections.abc import Callable
from typing import Final

MB: Final = 2**20
#: Below this, the ratio of two times is chance.
_NOTHING_S: Final = 0.004
_ATTEMPTS: Final = 5


def cost_ratio(make: Callable[[int], Callable[[], object]]) -> float:
    """Return the cost at 4 MB in multiples of that at 1 MB: the smallest of a few attempts, as soon as it is linear.

    Quadratic work costs sixteen times as much in every attempt. The processor time of this thread is measured, without
    the garbage collector, whose passes depend on what else is in memory.

    Args:
        make: Returns the work for a size in bytes.
    """
    small, large = make(MB), make(4 * MB)
    ratio = float("inf")
    gc.disable()
    try:
        for _ in range(_ATTEMPTS):
            ratio = min(ratio, _spent_s(large) / max(_spent_s(small), _NOTHING_S))
            if ratio <= 5:
                break
    finally:
        gc.enable()
    return ratio


def _spent_s(work: Callable[[], object]) -> float:
    start_s = time.thread_time()
    work()
    return time.thread_time() - start_s

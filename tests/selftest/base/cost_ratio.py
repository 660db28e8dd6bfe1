"""The cost of work on a text in relation to its size, measured so that a busy machine does not change the verdict."""

import gc
import time
from collections.abc import Callable
from typing import Final

#: In bytes. Four times this takes quadratic work seconds, and linear work milliseconds.
_SMALL: Final = 2**18
#: Below this, the ratio of two times is chance.
_NOTHING_S: Final = 0.001
_ATTEMPTS: Final = 5


def cost_ratio(make: Callable[[int], Callable[[], object]]) -> float:
    """Return the cost at 1 MB in multiples of that at 256 KB: the smallest of a few attempts, as soon as it is linear.

    Quadratic work costs sixteen times as much in every attempt. The processor time of this thread is measured, without
    the garbage collector, whose passes depend on what else is in memory.

    Args:
        make: Returns the work for a size in bytes.
    """
    small, large = make(_SMALL), make(4 * _SMALL)
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

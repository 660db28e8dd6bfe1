"""A cache that forgets on time: bounded in bytes, and emptied by a timer and not only by the next request.

What a user's claims are, and what a token said, must not stay in memory because nobody happens to ask again.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Final

from cachetools import TLRUCache

#: Between two looks at what has expired, in seconds; nothing is kept longer than this after its time.
SWEEP_S: Final = 10.0

#: Calls a function after so many seconds, on the running loop.
type CallLater = Callable[[float, Callable[[], None]], object]


def call_later(delay_s: float, function: Callable[[], None]) -> object:
    """Call a function after a delay in seconds, on the running loop."""
    return asyncio.get_running_loop().call_later(delay_s, function)


class ExpiringCache[K: Hashable, V]:
    """Keeps immutable values for a limited time and up to a limited size; the least recently used leave first.

    Args:
        max_bytes: of all values together.
        size_bytes: returns the size of one value.
        clock: monotonic seconds.
        later: schedules the next sweep.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        size_bytes: Callable[[V], int],
        clock: Callable[[], float],
        later: CallLater = call_later,
    ) -> None:
        self._clock = clock
        self._later = later
        self._entries: TLRUCache[K, tuple[V, float]] = TLRUCache(
            max_bytes,
            ttu=lambda _key, entry, _now_s: entry[1],
            timer=clock,
            getsizeof=lambda entry: size_bytes(entry[0]),
        )
        self._sweep_due_s = float("-inf")

    def put(self, key: K, value: V, ttl_s: float) -> None:
        """Keep a value for so many seconds; a value larger than the whole cache is not kept."""
        now_s = self._clock()
        try:
            self._entries[key] = (value, now_s + ttl_s)
        except ValueError:
            return
        # Overdue means that the loop of the timer has ended: a new one is set on this loop.
        if now_s >= self._sweep_due_s + SWEEP_S:
            self._schedule(now_s)

    def get(self, key: K) -> V | None:
        """Return the value, or None when there is none or its time is over."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def _schedule(self, now_s: float) -> None:
        self._sweep_due_s = now_s + SWEEP_S
        self._later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._entries.expire()
        if self._entries:
            self._schedule(self._clock())
        else:
            self._sweep_due_s = float("-inf")

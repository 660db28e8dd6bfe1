"""A cache that forgets on time: bounded in bytes, and emptied by a timer and not only by the next request.

What a user's claims are, and what a token said, must not stay in memory because nobody happens to ask again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

#: Between two sweeps, in seconds; nothing is kept longer than this after its time.
SWEEP_S: Final = 10.0

#: Calls a function after so many seconds, on the running loop.
type CallLater = Callable[[float, Callable[[], None]], object]


def call_later(delay_s: float, function: Callable[[], None]) -> object:
    """Call a function after a delay in seconds, on the running loop."""
    return asyncio.get_running_loop().call_later(delay_s, function)


class ExpiringCache[K: Hashable, V]:
    """Keeps immutable values for a limited time and up to a limited size; the least recently used leave first.

    Args:
        max_bytes: Of all values together.
        size_bytes: Returns the size of one value.
        clock: Monotonic seconds.
        later: Schedules the next sweep.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        size_bytes: Callable[[V], int],
        clock: Callable[[], float],
        later: CallLater = call_later,
    ) -> None:
        self._free_bytes = self._max_bytes = max_bytes
        self._size_bytes = size_bytes
        self._clock = clock
        self._later = later
        #: Value, end and size; the least recently used first.
        self._entries: OrderedDict[K, tuple[V, float, int]] = OrderedDict()
        self._sweep_due_s = float("-inf")

    def put(self, key: K, value: V, ttl_s: float) -> None:
        """Keep a value for so many seconds; a value larger than the whole cache is not kept."""
        if key in self._entries:
            self._drop(key)
        size_bytes = self._size_bytes(value)
        if size_bytes > self._max_bytes:
            return
        while size_bytes > self._free_bytes:
            self._drop(next(iter(self._entries)))
        now_s = self._clock()
        self._entries[key] = value, now_s + ttl_s, size_bytes
        self._free_bytes -= size_bytes
        # Overdue means that the loop of the timer has ended: a new one is set on this loop.
        if now_s >= self._sweep_due_s + SWEEP_S:
            self._schedule(now_s)

    def get(self, key: K) -> V | None:
        """Return the value, or None if it is missing or its time is over."""
        entry = self._entries.get(key)
        if entry is None or self._clock() >= entry[1]:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def _drop(self, key: K) -> None:
        self._free_bytes += self._entries.pop(key)[2]

    def _schedule(self, now_s: float) -> None:
        self._sweep_due_s = now_s + SWEEP_S
        self._later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        now_s = self._clock()
        for key in [key for key, (_, end_s, _) in self._entries.items() if end_s <= now_s]:
            self._drop(key)
        if self._entries:
            self._schedule(now_s)
        else:
            self._sweep_due_s = float("-inf")

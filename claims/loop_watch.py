"""Notices when something blocks the event loop, because every other sign-in waits for it.

Without this, a provider that blocks (a synchronous client, a long computation) would look like a slow network or data
source: a request that arrives meanwhile begins after it, so its line looks fast although Entra waited; one in progress
looks slow, although its own data source was not. One timer is enough to notice it. The result is written into the log
lines of the requests that were held up: Azure drops log records that are written while no request runs.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from claims.expiring import CallLater, call_later

TICK_S: Final = 0.02
#: A timer that is this late, in seconds, was held up.
STALL_S: Final = 0.05
#: Stalls that are remembered: a request lasts two seconds, which holds no more of them.
_MAX_STALLS: Final = 64


class LoopWatch:
    """Measures how late a timer fires."""

    def __init__(self, *, clock: Callable[[], float], later: CallLater = call_later) -> None:
        self._clock = clock
        self._later = later
        self._due_s = float("inf")
        self._stalls: deque[tuple[float, float]] = deque(maxlen=_MAX_STALLS)
        self._run = 0

    def start(self) -> None:
        """Begin to watch the running loop, and no other one any more."""
        self.stop()
        self._tick(self._run)

    def stop(self) -> None:
        """Stop watching."""
        self._run += 1
        self._due_s = float("inf")

    def stalled_ms(self, since_s: float) -> float:
        """Return for how many milliseconds the loop was blocked, as far as that delayed a request.

        Args:
            since_s: When the handler of the request began, by the clock. A request that arrived during a stall begins
                right after it, so a stall that ended within the last tick before counts too.
        """
        now_s = self._clock()
        stalls = [*self._stalls, (self._due_s, now_s)] if now_s - self._due_s > STALL_S else self._stalls
        if not stalls:  # nearly always
            return 0.0
        return 1000 * sum(end_s - begin_s for begin_s, end_s in stalls if end_s >= since_s - TICK_S)

    def _tick(self, run: int) -> None:
        if run != self._run:
            return
        now_s = self._clock()
        if now_s - self._due_s > STALL_S:
            self._stalls.append((self._due_s, now_s))
        self._due_s = now_s + TICK_S
        self._later(TICK_S, lambda: self._tick(run))

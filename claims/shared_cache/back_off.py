"""When to leave the shared store alone, and what a log line says about it."""

from collections.abc import Callable
from typing import Final

from claims.errors import ClaimsError

#: The first pause after a failure and the longest, in seconds.
MIN_PAUSE_S: Final = 1.0
MAX_PAUSE_S: Final = 30.0


class BackOff:
    """Doubles the pause with each failure, and keeps the reason of the first until a line has said it.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pause_s = 0.0
        self._until_s = float("-inf")
        self._unsaid = self._said = ""

    def is_over(self) -> bool:
        """Whether the store may be asked."""
        return self._clock() >= self._until_s

    def left_s(self) -> float:
        """Return the seconds until it may be asked."""
        return max(0.0, self._until_s - self._clock())

    def works(self) -> None:
        """Note that the store answered: the next failure is news again."""
        self._pause_s, self._until_s = 0.0, float("-inf")
        self._unsaid = self._said = ""

    def failed(self, error: Exception) -> None:
        """Begin a pause."""
        self._pause_s = min(MAX_PAUSE_S, max(MIN_PAUSE_S, 2 * self._pause_s))
        self._until_s = self._clock() + self._pause_s
        self.say(_reason(error))

    def say(self, reason: str) -> None:
        """Let the next line say why, unless one has since the store last worked."""
        if not self._said:
            self._said = self._unsaid = reason

    def news(self) -> str:
        """Return what no line has said yet."""
        reason, self._unsaid = self._unsaid, ""
        return reason


def _reason(error: Exception) -> str:
    """Return the types of an exception and its cause: a server, or what answers in its place, chooses the message."""
    if isinstance(error, ClaimsError):  # no token; the detail is the token cache's
        return str(error)
    cause = error.__cause__ or error.__context__
    return type(error).__name__ + (f" ({type(cause).__name__})" if cause else "")

"""The record of one request: what it took, how it ended, one JSON line.

The line is the whole message text, because the Functions worker drops everything else that a log record carries. It
never holds a token, a claim's value, a name or a mail address.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Literal

#: What a provider measures of its own work.
type DownstreamPhase = Literal["downstream_token", "downstream_call"]
type Phase = Literal["token", "keys", "body", "provider", "reply", DownstreamPhase]

#: How much of the budget a phase may take before the line becomes a warning. A downstream that needs most of it leaves
#: nothing for a slow day; the rest should take next to nothing.
_SHARES: Final[dict[str, float]] = {
    "token": 0.1,
    "keys": 0.5,
    "body": 0.05,
    "downstream_token": 0.4,
    "downstream_call": 0.7,
    "provider": 0.8,
    "reply": 0.05,
}
_log = logging.getLogger("claims.request")
_OK: Final = 200
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class _PhaseTimer:
    """Adds up the blocks of one phase; where they overlap, the time counts once."""

    __slots__ = ("_clock", "_open", "_since_s", "_spent_s")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open = 0
        self._since_s = 0.0
        self._spent_s = 0.0

    def __enter__(self) -> None:
        if not self._open:
            self._since_s = self._clock()
        self._open += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open -= 1
        if not self._open:
            self._spent_s += self._clock() - self._since_s

    def spent_ms(self, now_s: float) -> float:
        """Give the time up to now, also of a phase that goes on: it is what a late answer waited for."""
        return _whole_us(self._spent_s + (now_s - self._since_s if self._open else 0.0))


class RequestRecord:
    """Measures one request against its budget.

    Args:
        budget_ms: the answer leaves this many milliseconds after now.
        clock: monotonic seconds.
        cold: whether this is the first request of the process.

    Attributes:
        correlation_id: Entra's, once the body is read.
        authenticated: whether the caller is proved; who is not learns no timings.
        cache_hits: what was at hand, by cache.
        dropped_claims: the names of claims that the reply left out.
        claims_bytes: what the reply's claims count against the limit.
        joined: whether another delivery of the same event had begun the work.
        failure: the code of the provider's failure, where claims were sent in spite of it.
        detail: that failure's.
        timings_ms: each phase in the order in which it began, and ``total``; empty until the line is written.
    """

    def __init__(self, *, budget_ms: int, clock: Callable[[], float], cold: bool) -> None:
        self._clock = clock
        self._budget_ms = budget_ms
        self._cold = cold
        self._start_s = clock()
        self._phases: dict[Phase, _PhaseTimer] = {}
        self.correlation_id: str | None = None
        self.authenticated = False
        self.cache_hits: dict[str, bool] = {}
        self.dropped_claims: tuple[str, ...] = ()
        self.claims_bytes: int | None = None
        self.joined = False
        self.failure: str | None = None
        self.detail = ""
        self.timings_ms: Mapping[str, float] = {}

    def remaining_s(self) -> float:
        """Say how much of the budget is left, in seconds; never below zero."""
        return max(0.0, self._start_s + self._budget_ms / 1000 - self._clock())

    def phase(self, name: Phase) -> AbstractContextManager[None]:
        """Give what adds the time of a block to a phase; where blocks of one phase overlap, the time counts once."""
        timer = self._phases.get(name)
        if timer is None:
            timer = self._phases[name] = _PhaseTimer(self._clock)
        return timer

    def cache_hit(self, name: str, hit: object) -> None:
        """Record whether a cache had what was asked for."""
        self.cache_hits[name] = bool(hit)

    def phases_ms(self) -> dict[Phase, float]:
        """Give each phase's time up to now, in the order in which they began."""
        now_s = self._clock()
        return {name: timer.spent_ms(now_s) for name, timer in self._phases.items()}

    def server_timing(self) -> str:
        """Write the timings as a ``Server-Timing`` header (W3C Server Timing), durations in milliseconds."""
        return ", ".join([f"{name};dur={spent_ms:.2f}" for name, spent_ms in self.timings_ms.items()])

    def write(self, *, status: int, outcome: str, detail: str = "") -> None:
        """Log the line. Call it once, when the answer is ready.

        Args:
            status: the HTTP status.
            outcome: ``claims``, ``omitted`` or ``stale`` when claims were sent, otherwise the error's code.
            detail: what was expected and what came; by default that of the failure.
        """
        now_s = self._clock()
        phases_ms: dict[str, float] = {name: timer.spent_ms(now_s) for name, timer in self._phases.items()}
        total_ms = _whole_us(now_s - self._start_s)
        self.timings_ms = {**phases_ms, "total": total_ms}
        slow = [name for name, spent_ms in phases_ms.items() if spent_ms > _SHARES[name] * self._budget_ms]
        wanting = slow or self.failure or status != _OK
        level = logging.WARNING if wanting else logging.INFO
        if not _log.isEnabledFor(level):
            return
        line: dict[str, Any] = {
            "event": "onTokenIssuanceStart",
            "correlationId": self.correlation_id,
            "outcome": outcome,
            "status": status,
            "total_ms": total_ms,
            "budget_ms": self._budget_ms,
            "phases": phases_ms,
            "cache_hits": self.cache_hits,
            "cold": self._cold,
            "joined": self.joined,
        }
        more = {
            "slow": slow,
            "failure": self.failure,
            "claims_bytes": self.claims_bytes,
            "dropped_claims": self.dropped_claims,
            "detail": detail or self.detail,
        }
        line |= {name: value for name, value in more.items() if value or value == 0}  # no bytes are a figure, too
        _log.log(level, "%s", _encode(line))


def _whole_us(seconds: float) -> float:
    """Give milliseconds down to the microsecond: as many digits as the clock is worth."""
    return int(seconds * 1e6) / 1e3

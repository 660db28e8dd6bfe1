"""The record of one request: what it took, how it ended, one JSON line.

The line is the whole message text, because the Functions worker drops everything else that a log record carries. It
never holds a token, a claim's value, a name or a mail address.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

#: What a provider measures of its own work.
type DownstreamPhase = Literal["downstream_token", "downstream_call"]
type Phase = Literal["token", "keys", "body", "provider", "reply", DownstreamPhase]

#: How much of the budget a phase may take before the line becomes a warning. A downstream that needs most of it leaves
#: nothing for a slow day; the rest should take next to nothing.
_SHARES: Final[dict[Phase, float]] = {
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


@dataclass(slots=True)
class _Open:
    since_s: float
    blocks: int = 0


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
    """

    def __init__(self, *, budget_ms: int, clock: Callable[[], float], cold: bool) -> None:
        self._clock = clock
        self._budget_ms = budget_ms
        self._cold = cold
        self._start_s = clock()
        self._phases_ms: dict[Phase, float] = {}
        self._open: dict[Phase, _Open] = {}
        self.correlation_id: str | None = None
        self.authenticated = False
        self.cache_hits: dict[str, bool] = {}
        self.dropped_claims: tuple[str, ...] = ()
        self.claims_bytes: int | None = None
        self.joined = False
        self.failure: str | None = None
        self.detail = ""

    def remaining_s(self) -> float:
        """Say how much of the budget is left, in seconds; never below zero."""
        return max(0.0, self._start_s + self._budget_ms / 1000 - self._clock())

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Add the time of the block to a phase; where blocks of one phase overlap, the time counts once."""
        phase = self._open.setdefault(name, _Open(since_s=self._clock()))
        phase.blocks += 1
        # Its place in the line is where it began.
        self._phases_ms.setdefault(name, 0.0)
        try:
            yield
        finally:
            phase.blocks -= 1
            if not phase.blocks:
                self._phases_ms[name] += (self._clock() - phase.since_s) * 1000
                del self._open[name]

    def phases_ms(self) -> dict[Phase, float]:
        """Give each phase's time up to now, also that of one that goes on: it is what a late answer waited for."""
        now_s = self._clock()
        going_on = {name: (now_s - phase.since_s) * 1000 for name, phase in self._open.items()}
        return {name: spent_ms + going_on.get(name, 0.0) for name, spent_ms in self._phases_ms.items()}

    def timings_ms(self) -> dict[str, float]:
        """Give the phases with ``total``."""
        return dict([*self.phases_ms().items(), ("total", self._total_ms())])

    def server_timing(self) -> str:
        """Write the phases as a ``Server-Timing`` header (W3C Server Timing), durations in milliseconds."""
        return ", ".join(f"{name};dur={spent_ms:.2f}" for name, spent_ms in self.timings_ms().items())

    def write(self, *, status: int, outcome: str, detail: str = "") -> None:
        """Log the line. Call it once, when the answer is ready.

        Args:
            status: the HTTP status.
            outcome: ``claims``, ``omitted`` or ``stale`` when claims were sent, otherwise the error's code.
            detail: what was expected and what came; by default that of the failure.
        """
        phases_ms = self.phases_ms()
        line: dict[str, Any] = {
            "event": "onTokenIssuanceStart",
            "correlationId": self.correlation_id,
            "outcome": outcome,
            "status": status,
            "total_ms": round(self._total_ms(), 3),
            "budget_ms": self._budget_ms,
            "phases": {name: round(spent_ms, 3) for name, spent_ms in phases_ms.items()},
            "cache_hits": self.cache_hits,
            "cold": self._cold,
            "joined": self.joined,
        }
        slow = [name for name, spent_ms in phases_ms.items() if spent_ms > _SHARES[name] * self._budget_ms]
        if slow:
            line["slow"] = slow
        if self.failure:
            line["failure"] = self.failure
        if self.claims_bytes is not None:
            line["claims_bytes"] = self.claims_bytes
        if self.dropped_claims:
            line["dropped_claims"] = self.dropped_claims
        if detail or self.detail:
            line["detail"] = detail or self.detail
        wanting = slow or self.failure or status != _OK
        _log.log(logging.WARNING if wanting else logging.INFO, "%s", _encode(line))

    def _total_ms(self) -> float:
        return (self._clock() - self._start_s) * 1000

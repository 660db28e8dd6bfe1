"""The record of one request: what it took, how it ended, one JSON line.

The line is the whole message text, because the Functions worker drops everything else that a log record carries. It
never holds a token, a claim's value, a name or a mail address.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

type Phase = Literal["token", "keys", "body", "provider", "reply"]

_log = logging.getLogger("claims.request")
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


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
    """

    def __init__(self, *, budget_ms: int, clock: Callable[[], float], cold: bool) -> None:
        self._clock = clock
        self._budget_ms = budget_ms
        self._cold = cold
        self._start_s = clock()
        self._phases_ms: dict[Phase, float] = {}
        self.correlation_id: str | None = None
        self.authenticated = False
        self.cache_hits: dict[str, bool] = {}
        self.dropped_claims: tuple[str, ...] = ()
        self.claims_bytes: int | None = None

    def remaining_s(self) -> float:
        """Say how much of the budget is left, in seconds; never below zero."""
        return max(0.0, self._start_s + self._budget_ms / 1000 - self._clock())

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Add the time of the block to a phase."""
        start_s = self._clock()
        try:
            yield
        finally:
            spent_ms = (self._clock() - start_s) * 1000
            self._phases_ms[name] = self._phases_ms.get(name, 0.0) + spent_ms

    def server_timing(self) -> str:
        """Write the phases as a ``Server-Timing`` header (W3C Server Timing), durations in milliseconds."""
        durations = [*self._phases_ms.items(), ("total", self._total_ms())]
        return ", ".join(f"{name};dur={spent_ms:.2f}" for name, spent_ms in durations)

    def write(self, *, status: int, outcome: str, detail: str = "") -> None:
        """Log the line. Call it once, when the answer is ready.

        Args:
            status: the HTTP status.
            outcome: ``claims`` when they were sent, otherwise the error's code.
            detail: what was expected and what came.
        """
        line: dict[str, Any] = {
            "event": "onTokenIssuanceStart",
            "correlationId": self.correlation_id,
            "outcome": outcome,
            "status": status,
            "total_ms": round(self._total_ms(), 3),
            "budget_ms": self._budget_ms,
            "phases": {name: round(spent_ms, 3) for name, spent_ms in self._phases_ms.items()},
            "cache_hits": self.cache_hits,
            "cold": self._cold,
        }
        if self.claims_bytes is not None:
            line["claims_bytes"] = self.claims_bytes
        if self.dropped_claims:
            line["dropped_claims"] = self.dropped_claims
        if detail:
            line["detail"] = detail
        _log.log(logging.INFO if status < 400 else logging.WARNING, "%s", _encode(line))  # noqa: PLR2004 (HTTP's line)

    def _total_ms(self) -> float:
        return (self._clock() - self._start_s) * 1000

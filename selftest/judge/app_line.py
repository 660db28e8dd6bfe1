"""What the app logged for one request, reduced to what may be shown.

The line is the app's own, and any app may write it: only the documented members are kept, with limits, without control
characters, bearer tokens and mail addresses.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from selftest.base.printable import printable

#: The outcome of a line that the host writes, because the app's event loop does not run.
LOOP_BLOCKED: Final = "event_loop_blocked"
#: The outcome of a line that the host writes, because the app's process ended.
WORKER_ENDED: Final = "worker_ended"

_MAX_CODE: Final = 64
_MAX_DETAIL: Final = 400
_MAX_PHASES: Final = 24
#: Shorter stalls of the event loop are usual.
SHOWN_STALL_MS: Final = 100.0
_NOT_IN_CODE: Final = re.compile(r"[^A-Za-z0-9_.-]")
_MAIL: Final = re.compile(r"\S+@\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLine:
    """One line of the app's log about a request.

    Attributes:
        outcome: What the app did (``claims``), or the code of why it did not (``provider_error``).
        status: The HTTP status of its response; None for a line of the host.
        failure: The code of the failure in spite of which claims were sent; empty if there was none.
        detail: The reason: an exception's type and place, or what was expected and what came.
        total_ms: The app's own time for the request; of a note of the host, how long it applied (None: it still does).
        loop_stalled_ms: For how long the event loop was blocked meanwhile.
        joined: Whether the request joined an earlier delivery of the same event.
        phases_ms: The time by phase.
    """

    outcome: str
    status: int | None
    failure: str = ""
    detail: str = ""
    total_ms: float | None = None
    loop_stalled_ms: float = 0.0
    joined: bool = False
    phases_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Return the code of the failure, or else of the outcome."""
        return self.failure or self.outcome

    def __str__(self) -> str:
        """Return the line for people: ``503 provider_error: KeyError at …, 3.2 ms (token 1.9, …)``."""
        if self.outcome == LOOP_BLOCKED and self.total_ms is None:
            return f"the event loop is blocked {self.detail}, and had not run again when this was read"
        if self.outcome == LOOP_BLOCKED:
            return f"the event loop was blocked {self.detail} for {self.total_ms:,.0f} ms"
        if self.outcome == WORKER_ENDED:
            return f"the app's process ended ({self.detail})"
        head = self.outcome if self.status is None else f"{self.status} {self.outcome}"
        text = f"{head} because of {self.failure}" if self.failure else head
        if self.detail:
            text += f": {self.detail}"
        if self.joined:
            text += ", joined the earlier attempt"
        if self.total_ms is not None:
            text += f", {self.total_ms:,.1f} ms"
        if self.phases_ms:
            text += f" ({', '.join(f'{name} {spent_ms:,.1f}' for name, spent_ms in self.phases_ms.items())})"
        if self.loop_stalled_ms >= SHOWN_STALL_MS:
            text += f", event loop blocked for {self.loop_stalled_ms:,.0f} ms"
        return text


def app_line(record: Mapping[str, object]) -> AppLine:
    """Return what may be shown of a request's record, as `claims/request_log.py` documents its members."""
    status, phases = record.get("status"), record.get("phases")
    named = list(phases.items())[:_MAX_PHASES] if isinstance(phases, Mapping) else []
    return AppLine(
        outcome=_code(record.get("outcome")) or "no outcome",
        status=status if isinstance(status, int) and 100 <= status <= 599 else None,
        failure=_code(record.get("failure")),
        detail=_detail(record.get("detail")),
        total_ms=_ms(record.get("total_ms")),
        loop_stalled_ms=_ms(record.get("loop_stalled_ms")) or 0.0,
        joined=record.get("joined") is True,
        phases_ms={_code(name): spent_ms for name, value in named if (spent_ms := _ms(value)) is not None},
    )


def _code(value: object) -> str:
    return _NOT_IN_CODE.sub("_", value[:_MAX_CODE]) if isinstance(value, str) else ""


def _detail(value: object) -> str:
    text = printable(value[:_MAX_DETAIL]) if isinstance(value, str) else ""
    return _MAIL.sub("...", text.replace("\n", " "))


def _ms(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None

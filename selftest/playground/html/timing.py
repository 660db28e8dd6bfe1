"""One attempt on a time line: how much of the timeout it used, and which phase of the endpoint used it.

There are two scales, because a good call takes a thousandth of the timeout. On the first the width is the timeout, on
the second the call. Positions are percentages of the width.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from selftest.load.phases import OUTSIDE, parts_ms, server_timing_ms
from selftest.play.caller import Attempt

WIDTH: Final = 100.0
#: Three pixels of the page, so that any time used is visible.
_MIN_USED: Final = 0.3
#: The number of shades of the accent color in the style sheet.
_STEPS: Final = 7
_WHOLE: Final = "the whole call (the response has no Server-Timing)"
_NO_RESPONSE: Final = "waiting, without a response"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One phase of a call.

    Attributes:
        left: Its beginning, 0 to `WIDTH` percent.
        width: Its width in percent.
        step: Its shade: 0 for the longest phase, 7 for the time outside of the endpoint.
    """

    name: str
    spent_ms: float
    left: float
    width: float
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptBar:
    """One attempt, ready to be drawn.

    Attributes:
        number: 1 for the first attempt.
        spent_ms: The time from when it was due to its end.
        used: The used part of the width in percent.
        budget: The position of the endpoint's own limit in percent; None if unknown or beyond the timeout.
        budget_ms: That limit.
        status: The status of the response; None without one.
        failure: What failed in the connection; empty if nothing did.
        pieces: The phases of the call, in their order.
    """

    number: int
    spent_ms: float
    timeout_ms: int
    used: float
    budget: float | None
    budget_ms: int | None
    status: int | None
    failure: str
    pieces: tuple[Piece, ...]


def attempt_bar(number: int, attempt: Attempt, *, timeout_ms: int, budget_ms: int | None) -> AttemptBar:
    """Return the bar of one attempt."""
    share = min(1.0, max(0.0, attempt.latency_ms / timeout_ms))
    shown = budget_ms is not None and budget_ms < timeout_ms
    return AttemptBar(
        number=number,
        spent_ms=attempt.latency_ms,
        timeout_ms=timeout_ms,
        used=round(max(_MIN_USED, share * WIDTH), 2),
        budget=round(budget_ms / timeout_ms * WIDTH, 2) if budget_ms is not None and shown else None,
        budget_ms=budget_ms,
        status=attempt.status,
        failure="" if attempt.failure is None else f"{attempt.failure}: {attempt.detail}",
        pieces=tuple(_pieces(attempt)),
    )


def empty_bar(*, timeout_ms: int, budget_ms: int | None) -> AttemptBar:
    """Return the bar of a call that has not been made."""
    idle = Attempt(
        due_s=0.0, sent_s=0.0, headers_s=None, end_s=0.0, status=None, headers=(), body=b"", failure=None, detail=""
    )
    bar = attempt_bar(1, idle, timeout_ms=timeout_ms, budget_ms=budget_ms)
    return replace(bar, used=0.0, pieces=())


def _pieces(attempt: Attempt) -> Iterator[Piece]:
    parts = parts_ms(server_timing_ms(attempt.headers), attempt.latency_ms)
    if not parts:
        parts = {_NO_RESPONSE if attempt.status is None else _WHOLE: attempt.latency_ms}
    whole_ms = max(sum(parts.values()), 1e-9)
    inside = sorted((name for name in parts if name != OUTSIDE), key=lambda name: -parts[name])
    steps = {name: min(rank, _STEPS - 1) for rank, name in enumerate(inside)}
    left = 0.0
    for name, spent_ms in parts.items():
        width, step = spent_ms / whole_ms * WIDTH, steps.get(name, _STEPS)
        yield Piece(name=name, spent_ms=spent_ms, left=round(left, 3), width=round(width, 3), step=step)
        left += width

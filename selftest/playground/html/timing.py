"""One attempt against the clock: how much of Entra's patience it took, and which phase of the endpoint took it.

Two scales, because one cannot show both: a good call takes a thousandth of the timeout. On the first the whole width is
the timeout; on the second it is the call. Positions are per cent of the width, ready for a drawing that is as wide as
the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from selftest.load.phases import OUTSIDE, parts_ms, server_timing_ms
from selftest.play.caller import Attempt

WIDTH: Final = 100.0
#: Three pixels of the page: what was used can be seen, however little it was.
_LEAST: Final = 0.3
#: The style sheet has so many steps of the accent.
_STEPS: Final = 7
_WHOLE: Final = "the whole call (the answer has no Server-Timing)"
_NO_ANSWER: Final = "waiting, without an answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One phase of a call.

    Attributes:
        name: as the endpoint calls it.
        spent_ms: how long it took.
        left: where it begins, 0 to `WIDTH` per cent.
        width: how wide it is.
        step: how faint it is drawn: 0 for the longest phase, 7 for what the endpoint did not see.
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
        number: 1 for the first.
        spent_ms: from due to end.
        timeout_ms: how long Entra waits.
        used: how much of the width was used.
        budget: where the endpoint's own limit lies; None where it is not known or beyond the timeout.
        budget_ms: that limit.
        late: whether Entra gave it up.
        status: of the answer; None without one.
        failure: what went wrong on the way, in words.
        pieces: of the call, in their order.
    """

    number: int
    spent_ms: float
    timeout_ms: int
    used: float
    budget: float | None
    budget_ms: int | None
    late: bool
    status: int | None
    failure: str
    pieces: tuple[Piece, ...]


def attempt_bar(number: int, attempt: Attempt, *, timeout_ms: int, budget_ms: int | None) -> AttemptBar:
    """Measure one attempt."""
    share = min(1.0, max(0.0, attempt.latency_ms / timeout_ms))
    within = budget_ms is not None and budget_ms < timeout_ms
    return AttemptBar(
        number=number,
        spent_ms=attempt.latency_ms,
        timeout_ms=timeout_ms,
        used=round(max(_LEAST, share * WIDTH), 2),
        budget=round(budget_ms / timeout_ms * WIDTH, 2) if budget_ms is not None and within else None,
        budget_ms=budget_ms,
        late=attempt.failure == "timeout",
        status=attempt.status,
        failure="" if attempt.failure is None else f"{attempt.failure}: {attempt.detail}",
        pieces=tuple(_pieces(attempt)),
    )


def empty_bar(*, timeout_ms: int, budget_ms: int | None) -> AttemptBar:
    """Give the bar of a call that nobody has made yet."""
    idle = Attempt(
        due_s=0.0, sent_s=0.0, headers_s=None, end_s=0.0, status=None, headers=(), body=b"", failure=None, detail=""
    )
    bar = attempt_bar(1, idle, timeout_ms=timeout_ms, budget_ms=budget_ms)
    return replace(bar, used=0.0, pieces=())


def _pieces(attempt: Attempt) -> Iterator[Piece]:
    parts = parts_ms(server_timing_ms(attempt.headers), attempt.latency_ms)
    if not parts:
        parts = {_NO_ANSWER if attempt.status is None else _WHOLE: attempt.latency_ms}
    whole_ms = max(sum(parts.values()), 1e-9)
    inside = sorted((name for name in parts if name != OUTSIDE), key=lambda name: -parts[name])
    steps = {name: min(rank, _STEPS - 1) for rank, name in enumerate(inside)}
    left = 0.0
    for name, spent_ms in parts.items():
        width, step = spent_ms / whole_ms * WIDTH, steps.get(name, _STEPS)
        yield Piece(name=name, spent_ms=spent_ms, left=round(left, 3), width=round(width, 3), step=step)
        left += width

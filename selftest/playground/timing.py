"""One attempt against the clock: how much of Entra's patience it took, and which phase of the endpoint took it.

Two scales, because one cannot show both: a good call takes a thousandth of the timeout. On the first the whole width is
the timeout; on the second it is the call. Positions are shares of `WIDTH`, ready for a drawing that is stretched to the
page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from selftest.caller import Attempt
from selftest.load.phases import OUTSIDE, parts_ms, server_timing_ms

WIDTH: Final = 1000.0
#: Three pixels of the page: what was used can be seen, however little it was.
_LEAST: Final = 3.0
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
        left: where it begins, 0 to `WIDTH`.
        width: how wide it is.
        step: how faint it is drawn, 0 to 7.
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


def _pieces(attempt: Attempt) -> Iterator[Piece]:
    parts = parts_ms(server_timing_ms(attempt.headers), attempt.latency_ms)
    if not parts:
        parts = {_NO_ANSWER if attempt.status is None else _WHOLE: attempt.latency_ms}
    whole_ms = max(sum(parts.values()), 1e-9)
    left = 0.0
    inside = 0
    for name, spent_ms in parts.items():
        width = spent_ms / whole_ms * WIDTH
        step = _STEPS if name == OUTSIDE else min(inside, _STEPS - 1)
        inside += name != OUTSIDE
        yield Piece(name=name, spent_ms=spent_ms, left=round(left, 2), width=round(width, 2), step=step)
        left += width

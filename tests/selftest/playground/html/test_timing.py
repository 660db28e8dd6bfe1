"""The bars: what share of the timeout, and which phase."""

import pytest

from selftest.judge.received_reply import CallFailure
from selftest.play.caller import Attempt
from selftest.playground.html.timing import WIDTH, AttemptBar, attempt_bar, empty_bar


def attempt(latency_ms: float, *, timing: str | None = None, failure: CallFailure | None = None) -> Attempt:
    """Make an attempt that took so long."""
    return Attempt(
        due_s=10.0,
        sent_s=10.0,
        headers_s=None,
        end_s=10.0 + latency_ms / 1000,
        status=None if failure else 200,
        headers=() if timing is None else (("Server-Timing", timing),),
        body=b"",
        failure=failure,
        detail="why" if failure else "",
    )


def bar(of: Attempt, *, timeout_ms: int = 2000, budget_ms: int | None = 1500) -> AttemptBar:
    """Measure it."""
    return attempt_bar(1, of, timeout_ms=timeout_ms, budget_ms=budget_ms)


@pytest.mark.parametrize(
    ("latency_ms", "used"),
    [
        (500, 25.0),  # a quarter of two seconds
        (0.01, 0.3),  # nearly nothing can still be seen
        (-1, 0.3),  # a clock that went back draws nothing odd
        (9000, WIDTH),  # the bar ends where Entra's patience does
    ],
)
def test_used_is_the_share_of_the_timeout(latency_ms: float, used: float) -> None:
    """Of the timeout that this listener has."""
    assert bar(attempt(latency_ms)).used == used


@pytest.mark.parametrize(("budget_ms", "mark"), [(1500, 75.0), (None, None), (2000, None), (1900, 95.0)])
def test_the_budget_is_marked_where_it_means_anything(budget_ms: int | None, mark: float | None) -> None:
    """It is known, and Entra would still be there."""
    assert bar(attempt(1), budget_ms=budget_ms).budget == mark


def test_phases_fill_the_width_and_the_longest_is_the_strongest() -> None:
    """They have the order of the header; the time outside of the endpoint is the faintest."""
    timing = "token;dur=1, provider;dur=90, downstream_call;dur=80, reply;dur=1, total;dur=95"
    pieces = bar(attempt(100, timing=timing)).pieces
    spent = {piece.name: round(piece.spent_ms) for piece in pieces}
    # The provider waited for its downstream: its own time is the rest.
    wanted = {"token": 1, "provider": 10, "downstream_call": 80, "reply": 1}
    assert spent == wanted | {"rest of the endpoint": 3, "network and host": 5}
    assert sum(piece.width for piece in pieces) == pytest.approx(WIDTH, abs=0.01)
    assert [piece.left for piece in pieces] == sorted(piece.left for piece in pieces)
    steps = {piece.name: piece.step for piece in pieces}
    assert (steps["downstream_call"], steps["provider"], steps["network and host"]) == (0, 1, 7)


def test_more_phases_than_steps_share_the_last() -> None:
    """An endpoint may name two dozen."""
    timing = ", ".join(f"p{number};dur={number + 1}" for number in range(24))
    assert {piece.step for piece in bar(attempt(400, timing=timing)).pieces} == set(range(8))


def test_without_phases_the_call_is_one_piece_that_says_so() -> None:
    """A response without the header is distinguished from no response."""
    assert [piece.name for piece in bar(attempt(5)).pieces] == ["the whole call (the response has no Server-Timing)"]
    late = bar(attempt(2000, failure="timeout"))
    assert [piece.name for piece in late.pieces] == ["waiting, without a response"]
    assert late.failure == "timeout: why"


def test_before_the_first_call_nothing_is_used() -> None:
    """The limits are shown all the same."""
    empty = empty_bar(timeout_ms=2000, budget_ms=1500)
    assert (empty.used, empty.pieces, empty.budget) == (0.0, (), 75.0)

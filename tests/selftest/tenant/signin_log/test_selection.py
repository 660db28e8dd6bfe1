"""Which events are wanted, and how they are counted over time."""

import datetime as dt
from typing import Any

import pytest

from selftest.tenant.signin_log.event import SignInEvent
from selftest.tenant.signin_log.selection import UNREAD, Selection, histogram, newest_first, parse_span, shown_code
from tests.selftest.tenant.signin_log.exports import APP_ID, correlation_id

AT = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)


def event(minutes: float | None = 0, code: int | None = None, **changes: Any) -> SignInEvent:
    """Make an event so many minutes after half past nine."""
    members: dict[str, Any] = {
        "at": None if minutes is None else AT + dt.timedelta(minutes=minutes),
        "correlation_id": correlation_id(1),
        "app_id": APP_ID,
        "app_name": "Sample portal",
        "result": 1100001 if code else 0,
    }
    return SignInEvent(code=code, **({"http_status": None if code else 200} | members | changes))


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), True),
        (Selection(since=AT), True),
        (Selection(since=AT + dt.timedelta(seconds=1)), False),
        (Selection(app=APP_ID.upper()), True),
        (Selection(app="sample"), True),
        (Selection(app="portal"), False),
        (Selection(code=1003005), True),
        (Selection(code=1100001), True),
        (Selection(code=1003006), False),
        (Selection(correlation_id=correlation_id(1)), True),
        (Selection(correlation_id=correlation_id(2)), False),
        (Selection(failed=True), True),
    ],
)
def test_event_is_wanted(selection: Selection, *, wanted: bool) -> None:
    """Each filter lets its own through and nothing else."""
    assert selection.wants(event(code=1003005)) is wanted


def test_success_and_unknown_time_under_the_filters() -> None:
    """``--failed`` leaves successes out; an event without a time is never hidden by ``--since``."""
    assert not Selection(failed=True).wants(event())
    assert Selection(since=AT).wants(event(None, 1003005))


@pytest.mark.parametrize(("text", "span_s"), [("90m", 5400), (" 24H ", 86_400), ("7d", 604_800)])
def test_span(text: str, span_s: int) -> None:
    """Minutes, hours and days."""
    assert parse_span(text).total_seconds() == span_s


@pytest.mark.parametrize("text", ["", "0h", "24", "h", "-1h", "1w", "999999d", "1.5h", "٣h"])
def test_no_span(text: str) -> None:
    """Anything else is told with what is expected."""
    with pytest.raises(ValueError, match="24h"):
        parse_span(text)


def test_newest_first_and_the_timeless_last() -> None:
    """The order is the portal's."""
    assert [event.code for event in newest_first([event(0, 1), event(None, 2), event(5, 3)])] == [3, 1, 2]


@pytest.mark.parametrize(
    ("minutes", "width_s"),
    [(0, 60), (20, 60), (60, 300), (60 * 24, 3600), (60 * 24 * 7, 86_400), (60 * 24 * 900, 30 * 86_400)],
)
def test_histogram_is_as_wide_as_the_whole_needs(minutes: int, width_s: int) -> None:
    """Every event is counted once, in at most thirty columns."""
    counted = histogram([event(0), event(minutes, 1003005), event(minutes / 2, 1003005), event(None, 1003005)])

    assert counted is not None
    assert counted.width_s == width_s
    assert list(counted.columns) == [1003005, None]
    assert {code: sum(columns) for code, columns in counted.columns.items()} == {1003005: 2, None: 1}
    assert all(len(columns) <= 30 for columns in counted.columns.values())
    assert counted.start <= AT


def test_no_histogram_without_a_time() -> None:
    """Events without a time have no place in it."""
    assert histogram([event(None)]) is None


def test_code_that_counts() -> None:
    """A failing status counts as the code that means it, an event that is not told as the sign-in's result."""
    assert shown_code(event()) is None
    assert shown_code(event(code=1003005)) == 1003005
    assert shown_code(event(http_status=500)) == 1003002
    assert shown_code(event(http_status=None)) == UNREAD
    assert shown_code(event(result=1100001, logged=False)) == 1100001

"""Both sides beside each other: which line belongs to which event, and what the two mean together."""

import datetime as dt
import re
from typing import Any

import pytest

from selftest.tenant.signin_log.endpoint_log import EndpointLine, EndpointLog
from selftest.tenant.signin_log.event import SignInEvent, SignInLog
from selftest.tenant.signin_log.meaning import meaning_of
from selftest.tenant.signin_log.pairing import Pairs
from selftest.tenant.signin_log.pairing import pair_up as pair_up_log
from selftest.tenant.signin_log.report import make_report
from selftest.tenant.signin_log.report_forms import as_lines
from tests.selftest.tenant.signin_log.exports import APP_ID, correlation_id

AT = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)


def event(code: int | None = None, status: int | None = None, attempts: int | None = 1, **changes: Any) -> SignInEvent:
    """Make an event of the first sign-in."""
    members: dict[str, Any] = {
        "at": AT,
        "correlation_id": correlation_id(1),
        "app_id": APP_ID,
        "app_name": "Portal",
        "result": 1100001 if code else 0,
    }
    return SignInEvent(code=code, http_status=status, attempts=attempts, **(members | changes))


def line(outcome: str = "claims", status: int = 200, total_ms: float = 12.0, **changes: Any) -> EndpointLine:
    """Make a line of the first sign-in."""
    members: dict[str, Any] = {
        "at": AT,
        "correlation_id": correlation_id(1),
        "budget_ms": 1500.0,
        "phases_ms": {"token": 0.1, "provider": total_ms - 0.1},
    }
    return EndpointLine(outcome=outcome, status=status, total_ms=total_ms, **(members | changes))


def refusal(outcome: str, *, after_s: float | None = 1.0) -> EndpointLine:
    """Make the line of a request whose token was refused: it has no correlation id."""
    at = None if after_s is None else AT + dt.timedelta(seconds=after_s)
    return line(outcome, 401, at=at, correlation_id=None, phases_ms={"token": 0.2})


def pair_up(events: list[SignInEvent], lines: list[EndpointLine] | None) -> Pairs:
    """Match events with lines of a log without other times."""
    return pair_up_log(events, None if lines is None else EndpointLog(tuple(lines)))


#: What Entra saw, what the endpoint wrote (None: no log was given), what is said of it, and what to run next.
ROWS: list[tuple[str, SignInEvent, list[EndpointLine] | None, tuple[str, ...], str]] = [
    (
        "late in spite of an answer",
        event(1003005, 0, 2),
        [line(total_ms=1900)],
        ("200 after 1,900 ms", "network or the plan took the other 100 ms", "provider"),
        "doctor",
    ),
    (
        "late, answered at once",
        event(1003005, 0, 2),
        [line(total_ms=80, cold=True)],
        ("of 2,000", "1,920 ms passed", "first request of a new worker", "1,000 ms"),
        "doctor",
    ),
    (
        "late, answered after Entra had left",
        event(1003005, 0, 2),
        [line(total_ms=2400)],
        ("2,400 ms", "waits 2,000 ms", "Claims__BudgetMs"),
        "explain 1003005",
    ),
    ("late, and no line", event(1003005, 0, 2), [], ("timed out", "never reached the app"), "check C91"),
    (
        "late, provider late",
        event(1003005, 0, 2),
        [line("provider_late", 503, 1500)],
        ("HTTP 503, outcome provider_late", "Claims__BudgetMs"),
        "explain provider_late",
    ),
    (
        "late, and refused",
        event(1003005, 0, 2),
        [refusal("audience")],
        ("HTTP 401, outcome audience", "AudienceAppId", "can mean a refused token"),
        "token --call",
    ),
    (
        "refused, matched by time",
        event(1003002, 401),
        [refusal("key_unknown")],
        ("of that moment: HTTP 401, outcome key_unknown", "AdditionalAuthorityUrls"),
        "token --call",
    ),
    (
        "refused, without a time",
        event(1003002, 401),
        [refusal("tenant", after_s=None)],
        ("cannot be matched by time", "HTTP 401, outcome tenant"),
        "token --call",
    ),
    (
        "refused, and another hour's refusal",
        event(1003002, 401),
        [refusal("caller", after_s=3600)],
        ("the most frequent: HTTP 401, outcome caller",),
        "token --call",
    ),
    ("refused in front", event(1003002, 401), [], ("App Service Authentication",), "check C01"),
    ("forbidden in front", event(1003002, 403), [], ("allow-list",), "check C01"),
    (
        "no such route",
        event(1003002, 404),
        [],
        ("Possible causes", "it did not start", "another route", "does not show which"),
        "doctor --url",
    ),
    (
        "no such route, without a log",
        event(1003002, 404),
        None,
        ("Possible causes", "it did not start", "Overview > Functions", "--log with the host's log"),
        "doctor --url",
    ),
    (
        "no such route, with a code that nobody knows",
        event(1003099, 404),
        None,
        ("not documented. Entra got 404", "Possible causes"),
        "doctor --url",
    ),
    ("another status, and no line", event(1003002, 418), [], ("never reached the app",), "explain 1003002"),
    (
        "forbidden by the app",
        event(1003002, 403),
        [line("event_extension", 403)],
        ("HTTP 403, outcome event_extension", "AllowedExtensionIds"),
        "doctor",
    ),
    (
        "status changed on the way",
        event(1003002, 502),
        [line("provider_error", 503)],
        ("HTTP 503, outcome provider_error", "Entra got 502"),
        "check F",
    ),
    ("good answer changed on the way", event(1003002, 302), [line()], ("answered 200 and Entra got 302",), "check C01"),
    ("broken on the way back", event(1003001, 0), [line()], ("did not arrive complete",), "explain 1003001"),
    ("connection lost on the way back", event(1003027, 0), [line()], ("did not arrive complete",), "explain 1003027"),
    ("no connection", event(1003027, 0), [], ("never reached the app",), "explain 1003027"),
    ("taken for good, and not", event(1003025, 200), [line()], ("considers its reply valid", "over 3 KB"), "check C"),
    (
        "before the call by its code",
        event(1003021, 0, None),
        [],
        ("before it called", "consent to a Graph app role is missing"),
        "doctor",
    ),
    ("before the call by its attempts", event(1003000, 0, 0), [], ("before it called",), "doctor"),
    (
        "before the call, and a line all the same",
        event(1003021, 0, 0),
        [line()],
        ("another event of the same sign-in",),
        "doctor",
    ),
    ("good on both sides", event(None, 200), [line()], ("both sides agree",), ""),
    (
        "good with default claims",
        event(None, 200),
        [line("omitted", failure="provider_late")],
        ("a token was minted, but", "default claims", "Claims__BudgetMs"),
        "explain provider_late",
    ),
    (
        "good at the second attempt",
        event(None, 200, 2),
        [line("provider_late", 503, 1500), line(joined=True)],
        ("both sides agree",),
        "",
    ),
    (
        "good, and the log says otherwise",
        event(None, 200),
        [line("provider_error", 503)],
        ("another attempt or token",),
        "check F",
    ),
    ("good, and no line", event(None, 200), [], ("no line for it",), "doctor"),
    ("good, without a log", event(None, 200), None, ("accepted its claims",), ""),
    ("failed, without a log", event(1003006, 200), None, ("content type", "--log FILE"), "explain 1003006"),
    ("a code that nobody knows", event(1003999, 200), None, ("not documented",), "explain --list"),
    ("failed by its status alone", event(None, 500), None, ("does not accept",), "explain 1003002"),
    (
        "not logged",
        event(None, None, None, logged=False, result=1100001),
        None,
        ("no event with the reason",),
        "signin-log --tenant TENANT",
    ),
]
#: A word for how frequent a cause is needs a source, and there is none.
FREQUENCY = re.compile(r"\b(?:most often|mostly|usually|typically)\b", re.IGNORECASE)


@pytest.mark.parametrize(("entra", "lines", "says", "way_on"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_both_sides_mean_something_together(
    entra: SignInEvent, lines: list[EndpointLine] | None, says: tuple[str, ...], way_on: str
) -> None:
    """One combination a row: the sentence names what only both sides know, and a command leads on."""
    pairs = pair_up([entra], lines)
    meaning = meaning_of(pairs.pairs[0], pairs, timeout_ms=2000)

    assert all(part in meaning.says for part in says), meaning.says
    assert meaning.way_on.startswith(way_on)
    assert not FREQUENCY.search(meaning.says)


def test_timeout_that_is_set_decides_who_was_late() -> None:
    """With the 1000 ms that Graph gives by default, an answer after 1200 ms leaves too late."""
    pairs = pair_up([event(1003005, 0, 2)], [line(total_ms=1200)])

    assert "Claims__BudgetMs so that" in meaning_of(pairs.pairs[0], pairs, timeout_ms=1000).says
    assert "network or the plan" in meaning_of(pairs.pairs[0], pairs, timeout_ms=2000).says


def test_refusals_are_matched_one_to_one_in_time() -> None:
    """Two refused sign-ins have two refusals, and a third refusal is left over and told."""
    first = event(1003002, 401)
    second = event(1003002, 401, correlation_id=correlation_id(2), at=AT + dt.timedelta(seconds=30))
    third = event(1003002, 401, correlation_id=correlation_id(3), at=None)
    lines = [
        refusal("audience", after_s=31),
        refusal("issuer"),
        refusal("caller", after_s=2),
        refusal("tenant", after_s=-60),
    ]
    pairs = pair_up([second, first, third], lines)

    assert [[found.outcome for found in pair.lines] for pair in pairs.pairs] == [["audience"], ["issuer"], []]
    assert [pair.by for pair in pairs.pairs] == ["time", "time", None]
    assert sorted(left.outcome for left in pairs.refused) == ["caller", "tenant"]


def test_refusals_of_a_minute_share_the_line_that_was_written() -> None:
    """Of one code the endpoint writes the first refusal of a minute: it explains the others, and later ones not."""
    events = [
        event(1003002, 401, correlation_id=correlation_id(number), at=AT + dt.timedelta(seconds=after_s))
        for number, after_s in enumerate((0, 20, 59, 95), start=1)
    ]
    pairs = pair_up(events, [refusal("audience")])

    assert [pair.by for pair in pairs.pairs] == ["time", "minute", "minute", None]
    assert {found.outcome for pair in pairs.pairs[:3] for found in pair.lines} == {"audience"}
    says = meaning_of(pairs.pairs[1], pairs, timeout_ms=2000).says
    assert "first refusal of a kind in each minute" in says
    assert "AuthenticationEvents__AudienceAppId" in says
    assert not pairs.refused


def test_event_that_was_not_refused_takes_no_line_of_the_minute() -> None:
    """A timeout half a minute after a refusal is no refusal."""
    late = event(1003005, 0, 2, at=AT + dt.timedelta(seconds=30))

    assert pair_up([late], [refusal("audience")]).pairs[0].by is None


def test_refusals_that_were_not_written_are_counted() -> None:
    """A line stands for those before it, too."""
    lines = [refusal("audience", after_s=-300), *[line("token_missing", 401, correlation_id=None, not_written=41)] * 2]
    report = make_report(pair_up([event(None, 200)], lines), limit=1, log=SignInLog(events=(), rows=1), timeout_ms=2000)
    note = next(text for text in as_lines(report) if "refused" in text)

    assert "refused 85 requests" in note
    assert note.endswith("token_missing 84, audience 1")


def test_blocked_loop_is_what_made_it_late() -> None:
    """Where the endpoint's loop stood still for most of the time, nothing else is blamed."""
    late = event(1003005, 0, 2)
    pairs = pair_up([late], [line(total_ms=1900, loop_stalled_ms=1700.0)])
    meaning = meaning_of(pairs.pairs[0], pairs, timeout_ms=2000)

    assert "1,700 ms of them with its event loop blocked" in meaning.says
    shortly = pair_up([late], [line(total_ms=1900, loop_stalled_ms=60.0)])
    assert "blocked" not in meaning_of(shortly.pairs[0], shortly, timeout_ms=2000).says


def test_event_with_lines_of_its_own_takes_no_other_refusal() -> None:
    """A refusal is for an event that has nothing, not for one whose line is known."""
    known, bare = event(1003005, 0, 2), event(1003002, 401, correlation_id=correlation_id(2))
    pairs = pair_up([known, bare], [line("provider_late", 503, 1500), refusal("audience")])

    assert [[found.outcome for found in pair.lines] for pair in pairs.pairs] == [["provider_late"], ["audience"]]


def test_lines_of_other_sign_ins_are_counted() -> None:
    """The log may reach further than the export."""
    pairs = pair_up(
        [event(None, 200)],
        [line(), line(correlation_id=correlation_id(9)), line("body_json", 400, correlation_id=None)],
    )

    assert (len(pairs.pairs[0].lines), pairs.strangers, pairs.refused) == (1, 1, ())


def test_many_refusals_are_matched_in_time() -> None:
    """A flood of refused requests is sorted, not compared each with each."""
    events = [event(1003002, 401, correlation_id=correlation_id(number)) for number in range(20_000)]
    pairs = pair_up(events, [refusal("audience") for _ in range(20_000)])

    assert all(pair.by == "time" for pair in pairs.pairs)

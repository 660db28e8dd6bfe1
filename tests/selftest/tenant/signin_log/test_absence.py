"""What a log does not say is unknown: never a success, and never passed over in silence."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from selftest.cli import main
from selftest.tenant.signin_log.event import read_events
from selftest.tenant.signin_log.tables import read_table
from tests.selftest.tenant.signin_log.exports import THREE, as_csv, callout, correlation_id, pascal, signin

#: Results from which nothing can be concluded.
EMPTY: dict[str, Any] = {
    "null": None,
    "an empty object": {},
    "an empty text": "",
    "other members": {"@odata.type": "#microsoft.graph.customExtensionCalloutResult", "customExtensionId": "x"},
    "empty members": {"errorCode": None, "httpStatus": None, "numberOfAttempts": None},
    "additional members that are empty": {"AdditionalProperties": {}},
    "a call without a reply and without a code": {"errorCode": 0, "httpStatus": 0, "numberOfAttempts": 1},
    "no call": {"errorCode": 0, "numberOfAttempts": 0},
    "a call alone": {"numberOfAttempts": 1},
}


def printed(rows: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    """Run the command on rows, or on a text, and return the exit code and what it prints."""
    path = tmp_path / "export"
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return main(["signin-log", "--file", str(path), *flags]), capsys.readouterr().out


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("status", [{"errorCode": 0}, None], ids=["signed in", "no status"])
def test_event_that_says_nothing_is_unknown(
    name: str, status: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No code, no status and no attempts: the verdict is INCONCLUSIVE, whatever the sign-in's own result is."""
    row = signin(1, status=status)
    row["appliedEventListeners"] = [{"eventType": "tokenIssuanceStart", "handlerResult": EMPTY[name]}]
    code, out = printed([row], tmp_path, capsys)

    assert code == 3
    assert out.splitlines()[0].endswith(("  unknown", "  unknown  1 attempt", "  unknown  0 attempts"))
    assert "does not say how it ended" in out
    assert "accepted its claims" not in out
    assert out.splitlines()[-1].startswith("INCONCLUSIVE  1 of 1 event: the log does not say how they ended; next: ")


def test_unknown_event_among_good_ones_is_not_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One event that says nothing keeps the verdict from PASS; a failure still leads."""
    unknown = signin(2)
    unknown["appliedEventListeners"] = [{"eventType": "tokenIssuanceStart", "handlerResult": None}]

    code, out = printed([THREE[0], unknown], tmp_path, capsys)
    assert (code, out.splitlines()[-1].partition(";")[0]) == (
        3,
        "INCONCLUSIVE  1 of 2 events: the log does not say how they ended",
    )
    code, out = printed([*THREE, unknown], tmp_path, capsys, "--json")
    found = json.loads(out)
    assert (code, found["result"]) == (1, "FAIL")
    assert [event["unknown"] for event in found["events"]].count(True) == 1
    assert {"code": None, "name": "unknown", "events": 1} in found["by_code"]


@pytest.mark.parametrize(
    "result", [{"errorCode": 0}, {"httpStatus": 200}, {"errorCode": "0", "numberOfAttempts": 1}, callout()]
)
def test_success_needs_its_own_sign(result: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The code 0, or the status 200."""
    row = signin(1)
    row["appliedEventListeners"] = [{"eventType": "tokenIssuanceStart", "handlerResult": result}]

    assert printed([row], tmp_path, capsys)[0] == 0


def test_failed_sign_in_leaves_no_unknown_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the sign-in's result says that an event failed, the event that says nothing is that one."""
    row = signin(1, status={"errorCode": 1100001})
    row["appliedEventListeners"] = [{"eventType": "tokenIssuanceStart", "handlerResult": None}]
    code, out = printed([row], tmp_path, capsys)

    assert code == 1
    assert out.splitlines()[-1].startswith("FAIL  1 of 1 event failed: AADSTS1100001")


@pytest.mark.parametrize("kind", ["attributeCollectionSubmit", "AttributeCollectionStart", "emailOtpSend"])
def test_other_event_that_failed_is_named(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sign-in failed before the token: the type of the event and its code are said, and ours is not blamed."""
    code, out = printed([signin(1, callout(code=1003003), event=kind)], tmp_path, capsys)

    assert code == 1
    assert f"1003003 CustomExtensionInvalidResponseBody ({kind})" in out.splitlines()[0]
    assert f"not the token issuance event: {kind} with 1003003" in out
    assert "1100001" not in out
    assert re.search(r'; next: read "[A-Z][^"]+" \(Microsoft Learn\)$', out.splitlines()[-1])
    assert "explain 1003003" not in out  # which has a reply to the token issuance event


def test_other_event_names_its_own_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No command of the tool is about it, and a reader of the JSON gets the page, too."""
    code, out = printed(
        [signin(1, callout(code=1003003), event="attributeCollectionSubmit")], tmp_path, capsys, "--json"
    )
    found = json.loads(out)

    assert code == 1
    for place in (found, found["events"][0]):
        assert (place["next"], place["then"]) == (None, None)
        assert "OnAttributeCollectionSubmit" in place["page"]


@pytest.mark.parametrize(
    ("form", "way"),
    [
        ("portal.csv", "--tenant TENANT --credential browser --since 30d --correlation-id dddddddd"),
        ("null", "--tenant TENANT --credential browser --since 30d --correlation-id dddddddd"),
    ],
)
def test_event_without_a_reason_is_read_from_graph_next(
    form: str, way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`explain` on the wrapper's code would lead back to the same file, and --help nowhere."""
    row = {"Correlation ID": correlation_id(1), "Sign-in error code": "1100001", "Date (UTC)": "2026-11-20T09:00:00Z"}
    empty = signin(1, appliedEventListeners=[{"eventType": "tokenIssuanceStart", "handlerResult": None}])
    out = printed(as_csv([row]) if form == "portal.csv" else [empty], tmp_path, capsys)[1]

    (line,) = [line for line in out.splitlines() if line.startswith("  next ")]
    assert way in line
    assert way in out.splitlines()[-1]
    assert "explain 1100001" not in out
    assert "--help" not in out


def test_count_that_is_no_number_is_unknown_and_the_rest_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A code is still a failure; a success that nothing shows is not concluded from a status that cannot be read."""
    code, out = printed([signin(1, {**callout(code=1003002, status=500), "numberOfAttempts": "two"})], tmp_path, capsys)
    assert (code, "1003002 CustomExtensionInvalidHTTPStatus  HTTP 500\n" in out) == (1, True)
    assert "note  members that are not whole numbers, which are taken as unknown: numberOfAttempts 1" in out

    assert printed([signin(1, {**callout(), "numberOfAttempts": "two"})], tmp_path, capsys)[0] == 0
    assert printed([signin(1, {**callout(), "httpStatus": "OK"})], tmp_path, capsys)[0] == 3
    assert printed([signin(1, {"errorCode": 0, "numberOfAttempts": "none"})], tmp_path, capsys)[0] == 3


def test_other_event_takes_no_line_of_the_endpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The endpoint's line under the same correlation id is of the token issuance event."""
    log = tmp_path / "app.log"
    line = {"event": "onTokenIssuanceStart", "correlationId": correlation_id(1), "outcome": "claims", "status": 200}
    log.write_text(json.dumps(line | {"total_ms": 5}))
    row = signin(1, callout(code=1003003), event="attributeCollectionSubmit")

    assert "endpoint  " not in printed([row], tmp_path, capsys, "--log", str(log))[1]


@pytest.mark.parametrize("kind", ["x\x1b]0;owned\x07", "a@sample.example", 7, "\u202eevil"])
def test_type_that_is_no_word_is_not_shown(kind: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A type is a plain word; anything else is counted without its text."""
    out = printed([signin(1, callout(code=1003003), event=kind), THREE[0]], tmp_path, capsys)[1]

    assert "(unnamed)" in out
    assert not isinstance(kind, str) or kind not in out


def test_row_that_cannot_be_read_costs_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is counted with its place and reason, and the verdict on the rest is not PASS."""
    spoilt = signin(2, {**callout(), "errorCode": "lots"})
    code, out = printed([THREE[0], spoilt], tmp_path, capsys)

    assert code == 3
    assert "note  sign-ins that could not be read: 1; the first: " in out
    assert "entry 2: errorCode is not a whole number" in out
    assert out.splitlines()[-1].startswith("INCONCLUSIVE  1 event, none failed; 1 sign-in could not be read")
    assert printed([*THREE, spoilt], tmp_path, capsys)[0] == 1


@pytest.mark.parametrize("text", ["System.Object[]", "Microsoft.Graph.Beta.PowerShell.Models.X", "@{EventType=x}"])
def test_shallow_export_of_powershell_says_how_to_export(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ConvertTo-Json writes what is deeper than two levels as the name of its type."""
    path = tmp_path / "export"
    for row in (signin(1, appliedEventListeners=text), signin(1, appliedEventListeners=[text])):
        path.write_text(json.dumps(row))
        assert main(["signin-log", "--file", str(path)]) == 2
        assert "ConvertTo-Json -Depth 10" in capsys.readouterr().err


def test_export_without_events_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Graph's v1.0 does not have the member: no event is not the same as no failure."""
    row = {name: value for name, value in THREE[0].items() if name != "appliedEventListeners"}
    code, out = printed([row], tmp_path, capsys)

    assert code == 3
    assert "note  no sign-in has appliedEventListeners" in out


def additional(value: Any) -> Any:
    """Write results as the Graph PowerShell SDK does: under AdditionalProperties, in Pascal case elsewhere."""
    rows = pascal(value)
    for row in rows:
        for listener in row["AppliedEventListeners"]:
            result = listener["HandlerResult"]
            listener["HandlerResult"] = {
                "AdditionalProperties": {name[:1].lower() + name[1:]: result[name] for name in result}
            }
    return rows


@pytest.mark.parametrize("separator", ["", "\n", "\r\n\r\n", " "])
@pytest.mark.parametrize("indent", [None, 2])
def test_objects_one_after_another_are_all_read(separator: str, indent: int | None) -> None:
    """As `ForEach-Object { $_ | ConvertTo-Json }` writes them, whatever is between; pages and lists, too."""
    rows = additional(THREE)
    for parts in (rows, [{"value": [row]} for row in rows], [[row] for row in rows]):
        text = separator.join(json.dumps(part, indent=indent) for part in parts)
        log = read_events(read_table(text, "x").rows, "x")
        assert [event.code for event in log.events] == [None, 1003005, 1003002]
        assert [event.http_status for event in log.events] == [200, 0, 401]
    assert read_table(separator.join(['{"value":[]}', '{"value":[],"@odata.nextLink":"x"}']), "x").more


MARCH = dt.datetime(2026, 3, 2, 8, 33, tzinfo=dt.UTC)
TIMES = {
    "/Date(1772440380000)/": MARCH,
    "\\/Date(1772440380000+0100)\\/": MARCH,
    "3/2/2026 8:33:00 AM": MARCH,
    "3/2/2026 8:33:00\u202fAM": MARCH,
    "3/2/2026 8:33:00 AM +00:00": MARCH,
    "03/02/2026 08:33": None,
    "2/03/2026 8:33:00 am": None,
    "13/03/2026 08:33:00": MARCH.replace(day=13),
    "02.03.2026 08:33:00": MARCH,
    "2026/03/02 8:33:00": MARCH,
    "2026-03-02 8:33:00 a.m.": MARCH,
    "3/2/26 8:33 AM": None,
    "/Date(999999999999999)/": None,
    "31.02.2026 08:33:00": None,
    "2026-03-02T08:33:00+99:00": None,
}


@pytest.mark.parametrize("text", TIMES)
def test_times_of_powershell_and_of_cultures(text: str) -> None:
    """The time, in UTC; none where either number may be the month, and that is counted."""
    row = signin(1, callout(at=text), createdDateTime=text)
    log = read_events(read_table(json.dumps([row]), "x").rows, "x")

    assert log.events[0].at == TIMES[text]
    assert any("without a time" in note for note in log.notes()) is (TIMES[text] is None)


#: The times of a file's sign-ins, what the first of them is, and what is said.
ORDERS = {
    "AM alone": (["3/2/2026 8:33:00 AM"], MARCH, "as month/day/year (as AM and PM suggest) and as UTC"),
    "day first elsewhere": (
        ["3/2/2026 8:33:00 AM", "13/2/2026 8:33:00 AM"],
        MARCH.replace(month=2, day=3),
        "other dates",
    ),
    "month first elsewhere": (["3/2/2026 8:33:00", "2/13/2026 8:33:00"], MARCH, "as month/day/year (as other dates"),
    "both elsewhere": (["3/2/2026 8:33 AM", "13/2/2026 8:33 AM", "2/13/2026 8:33 AM"], None, "as UTC"),
    "no half of the day": (["3/2/2026 8:33:00"], None, "order of day and month is unknown"),
    "a zone": (["3/2/2026 8:33:00 AM +00:00"], MARCH, "(as AM and PM suggest)"),
    "years first": (["2026/3/2 8:33:00"], MARCH, "were read as UTC where they name no zone"),
    "ISO": (["2026-03-02T08:33:00Z"], MARCH, None),
}


@pytest.mark.parametrize("name", ORDERS)
def test_assumed_order_of_a_date_is_said_once(name: str) -> None:
    """The dates of a file decide about one another; what is assumed beyond that is a note."""
    texts, first, said = ORDERS[name]
    rows = [signin(number, callout(at=text), createdDateTime=text) for number, text in enumerate(texts)]
    log = read_events(read_table(json.dumps(rows), "x").rows, "x")
    notes = list(log.notes())

    assert log.events[0].at == first
    assert sum("a local form" in note for note in notes) == (name not in {"ISO", "no half of the day"})
    assert said is None or any(said in note for note in notes)


def test_time_that_is_an_object() -> None:
    """PowerShell 5.1 adds members to a time that it writes."""
    row = signin(1, callout(at="x"), createdDateTime={"value": "/Date(1772440380000)/", "DateTime": "Monday"})

    assert read_events(read_table(json.dumps(row), "x").rows, "x").events[0].at == MARCH

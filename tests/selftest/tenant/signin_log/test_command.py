"""``signin-log`` as people run it: exit codes, both forms, and nobody's name in anything that comes out."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from selftest.base.bounded_file import FileError
from selftest.cli import main
from selftest.tenant.signin_log.endpoint_log import EndpointLog, read_log
from selftest.tenant.signin_log.event import read_events
from selftest.tenant.signin_log.pairing import pair_up
from selftest.tenant.signin_log.read_text import read_text
from selftest.tenant.signin_log.report import make_report
from selftest.tenant.signin_log.report_forms import as_json, as_lines
from selftest.tenant.signin_log.tables import read_table
from tests.selftest.tenant.signin_log.exports import (
    FORMS,
    MARK,
    SECRETS,
    THREE,
    callout,
    correlation_id,
    endpoint_line,
    signin,
)

pytestmark = pytest.mark.without_endpoint  # real lines are its input


@pytest.fixture
def log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Path:
    """Give a log of the endpoint: the first sign-in answered, the second late, the third refused."""
    lines = [
        endpoint_line(caplog, number=1),
        endpoint_line(caplog, number=2, total_ms=1900.0),
        "[2026-11-20T09:03:01Z] "
        + endpoint_line(caplog, number=None, outcome="audience", status=401, detail="expected A"),
        endpoint_line(caplog, number=4, outcome="provider_error", status=503, detail=f"KeyError at {MARK}.py:3"),
        endpoint_line(
            caplog,
            number=5,
            outcome="tenant",
            status=401,
            detail="x@sample.example at 203.0.113.77",
        ),
    ]
    path = tmp_path / "app.log"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Give an export with three sign-ins, two of which failed."""
    path = tmp_path / "signins.json"
    path.write_text(json.dumps({"value": THREE}))
    return path


def test_both_sides_are_told_with_a_verdict_last(export: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each event stands with its line and a command; exit code 1 says that some failed."""
    assert main(["signin-log", "--file", str(export), "--log", str(log)]) == 1
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "2026-11-20 09:03:00Z  1003002 CustomExtensionInvalidHTTPStatus  HTTP 401  1 attempt"
    assert lines[1] == f"  sign-in   {correlation_id(3)}, app Sample portal 77777777-7777-4777-8777-777777777777"
    assert lines[2].startswith("  endpoint  HTTP 401, outcome audience, 12.0 ms of its budget of 1,500 ms; phases in ")
    assert lines[2].endswith(" (matched by time)")
    assert lines[3].strip() == "expected A"
    assert any("The endpoint answered 200 after 1,900 ms" in line for line in lines)
    assert [line for line in lines if line.startswith("  1003005")] == [
        "  1003005      1  ..1.  CustomExtensionTimedOut"
    ]
    assert lines[-1].startswith("FAIL  2 of 3 events failed: 1 with 1003002 ")
    assert lines[-1].endswith("; next: python -m selftest explain 1003002")
    assert "  then      python -m selftest token --call https://HOST" in lines


def test_json_says_the_same(export: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads one object; every number names its unit."""
    assert main(["signin-log", "--file", str(export), "--log", str(log), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)

    assert (told["result"], told["not_shown"]) == ("FAIL", 0)
    assert [event["code"] for event in told["events"]] == [1003002, 1003005, None]
    assert [event["matched_by"] for event in told["events"]] == ["time", "correlation id", "correlation id"]
    assert told["events"][1]["endpoint"][0]["phases_ms"] == {"provider": 1900.0}
    assert {"code": 1003005, "name": "CustomExtensionTimedOut", "events": 1} in told["by_code"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["text", "json"])
def test_nobody_is_named(
    form: str, arguments: list[str], log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names, mail and IP addresses stand in every row, and in no output."""
    path = tmp_path / "export"
    path.write_bytes(FORMS[form])
    assert any(secret in path.read_bytes().decode("utf-8", "ignore").replace("\0", "") for secret in SECRETS)

    assert main(["signin-log", "--file", str(path), "--log", str(log), *arguments]) == 1
    out, err = capsys.readouterr()
    for secret in (*SECRETS, "sample.example"):
        assert secret not in out + err


@pytest.mark.parametrize(
    ("arguments", "code", "last"),
    [
        ([], 1, "FAIL  2 of 3"),
        (["--correlation-id", correlation_id(1)], 0, "PASS  1 event, none failed"),
        (["--correlation-id", correlation_id(8)], 3, "INCONCLUSIVE  the filters leave out all of 3 events"),
        (["--code", "AADSTS1100001", "--failed"], 1, "FAIL  2 of 2 events failed"),
        (["--code", "1003005"], 1, "FAIL  1 of 1 event failed: 1003005 CustomExtensionTimedOut"),
        (["--app", "other"], 3, "INCONCLUSIVE  the filters"),
        (["--limit", "1"], 1, "FAIL  2 of 3"),
        (["--since", "99999d"], 1, "FAIL  2 of 3"),
        (["--since", "1m"], 3, "INCONCLUSIVE  the filters"),
    ],
)
def test_filters_and_exit_codes(
    arguments: list[str], code: int, last: str, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 none failed, 1 some did, 3 nothing to judge; what is left out is said."""
    export.write_text(json.dumps([{**row, "appliedEventListeners": _at_2020(row)} for row in THREE]))
    assert main(["signin-log", "--file", str(export), *arguments]) == code
    out = capsys.readouterr().out

    assert out.splitlines()[-1].startswith(last)
    assert ("--limit" in out) is ("--limit" in arguments)
    assert ("the filters leave out" in out) is bool(
        set(arguments) & {"--correlation-id", "--code", "--app"} or "1m" in arguments
    )


def test_filters_that_leave_out_all_say_what_was_read(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A short export has no event of the application either: the time of what was read is said, and how to see it."""
    assert main(["signin-log", "--file", str(export), "--app", "other"]) == 3
    last = capsys.readouterr().out.splitlines()[-1]

    assert "all of 3 events (2026-11-20 09:00:00Z to 2026-11-20 09:03:00Z): a longer export may have more" in last
    assert last.endswith(f"; next: python -m selftest signin-log --file {export}")


def test_log_without_a_sign_in_says_so(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was read, which says nothing of a listener."""
    export.write_text('{"value": []}')

    assert main(["signin-log", "--file", str(export)]) == 3
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("INCONCLUSIVE  the log has no sign-in")
    assert "D47" not in last


def _at_2020(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**listener, "handlerResult": {**listener["handlerResult"], "calloutDateTime": "2020-01-01T00:00:00Z"}}
        for listener in row["appliedEventListeners"]
    ]


def test_detail_is_shown_where_the_endpoint_makes_it(
    tmp_path: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a provider wrote stays in the log; what the endpoint wrote is shown without addresses."""
    path = tmp_path / "two.json"
    rows = [signin(4, callout(code=1003002, status=503)), signin(5, callout(code=1003002, status=401))]
    path.write_text(json.dumps(rows))

    for form in ([], ["--json"]):
        assert main(["signin-log", "--file", str(path), "--log", str(log), *form]) == 1
        out = capsys.readouterr().out
        assert "provider_error" in out
        assert MARK not in out
        assert "sample.example" not in out
        assert "at \\u2026" in out or "… at …" in out


def test_refusal_stays_with_its_event_under_a_filter(
    export: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A filter leaves events out after the lines were matched, so that no line changes hands."""
    assert main(["signin-log", "--file", str(export), "--log", str(log), "--code", "1003005"]) == 1
    out = capsys.readouterr().out

    assert "audience" not in out
    assert "answered 200 after 1,900 ms" in out


def test_notes_on_the_input(tmp_path: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Further pages, events of other types, refusals and lines that belong to nothing are told."""
    rows = [signin(1, callout()), signin(6, callout(), event="emailOtpSend"), {"of": "another table"}]
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"value": rows, "@odata.nextLink": "https://graph.example/next"}))

    assert main(["signin-log", "--file", str(path), "--log", str(log)]) == 0
    out = capsys.readouterr().out
    assert "note  events of other types, which are not judged: emailOtpSend 1" in out
    assert "which are not sign-ins: 1" in out
    assert "one page of several" in out
    assert "refused 1 request" in out
    assert "note  3 lines of the endpoint belong to no event of the sign-in log" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--file", "absent.json"],
        ["--file", "{export}", "--log", "absent.log"],
        ["--file", "{export}", "--log", "{export}"],
        ["--file", "{log}"],
        ["--file", "-", "--log", "-"],
    ],
)
def test_what_cannot_be_read_is_exit_code_2(
    arguments: list[str], export: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stderr, nothing on stdout, no traceback."""
    words = [word.replace("{export}", str(export)).replace("{log}", str(log)) for word in arguments]

    assert main(["signin-log", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith("signin-log: ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--file", "x", "--since", "yesterday"],
        ["--file", "x", "--code", "T23"],
        ["--file", "x", "--limit", "-1"],
        ["--file", "x", "--timeout-ms", "5000"],
        ["--file", "x", "--correlation-id", "mine"],
    ],
)
def test_usage_error_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A flag that makes no sense says what would."""
    with pytest.raises(SystemExit) as caught:
        main(["signin-log", *arguments])
    assert caught.value.code == 2
    assert "signin-log: error:" in capsys.readouterr().err


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("value", "tables", "columns", "rows", "records", "properties", "name", "status", "errorCode"),
                    *("correlationId", "appId", "createdDateTime", "appliedEventListeners", "handlerResult"),
                    *("eventType", "calloutDateTime", "httpStatus"),
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary() | st.text().map(str.encode))
@example(b'[{"correlationId": null, "appliedEventListeners": "[[]]"}]')
@example(b'[{"appliedEventListeners": {"handlerResult": {"errorCode": 99999999999}}}]')
@example(b'[{"appliedEventListeners": [{"handlerResult": {"errorCode": 1e999, "numberOfAttempts": -0.0}}]}]')
@example(b'[{"appliedEventListeners": [{"handlerResult": {"calloutDateTime": "9999-12-31T23:59:59-23:00"}}]}]')
@example(b'{"event":"onTokenIssuanceStart","outcome":"claims","status":200,"total_ms":1,"phases":[]}')
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    """Whatever is given as either file ends in a report or in an `FileError`, never in another exception."""
    path = tmp_path / "any"
    path.write_bytes(data)
    endpoint = EndpointLog(())
    with contextlib.suppress(FileError):
        endpoint = read_log(read_text(str(path)), "any")
    try:
        log = read_events(read_table(read_text(str(path)), "any").rows, "any")
    except FileError:
        return
    report = make_report(pair_up(log.events, endpoint), limit=5, log=log, timeout_ms=2000)
    json.dumps(as_json(report))
    assert "".join(as_lines(report)).isprintable()

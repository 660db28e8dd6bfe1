"""Every form of a sign-in log gives the same events, and a bad file a reason."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from selftest.base.bounded_file import FileError
from selftest.tenant.signin_log.event import SignInEvent, SignInLog, read_events, shown_name
from selftest.tenant.signin_log.read_text import read_text
from selftest.tenant.signin_log.tables import read_table
from tests.selftest.tenant.signin_log.exports import (
    APP_ID,
    EXTENSION_ID,
    FORMS,
    LISTENER_ID,
    THREE,
    as_csv,
    callout,
    correlation_id,
    signin,
)


def read(data: bytes, tmp_path: Path, *, max_bytes: int = 2**20) -> SignInLog:
    """Read a file of these bytes."""
    path = tmp_path / "export"
    path.write_bytes(data)
    return read_events(read_table(read_text(str(path), max_bytes=max_bytes), str(path)).rows, str(path))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_events(form: str, tmp_path: Path) -> None:
    """Who exported it, and how names, numbers and nested objects are written, makes no difference."""
    log = read(FORMS[form], tmp_path)

    assert (log.rows, log.signins, log.others) == (3, 3, {})
    assert [(event.code, event.http_status, event.attempts) for event in log.events] == [
        (None, 200, 1),
        (1003005, 0, 2),
        (1003002, 401, 1),
    ]
    assert log.events[1] == SignInEvent(
        at=dt.datetime(2026, 11, 20, 9, 2, tzinfo=dt.UTC),
        correlation_id=correlation_id(2),
        app_id=APP_ID,
        app_name="Sample portal",
        result=1100001,
        code=1003005,
        http_status=0,
        attempts=2,
        extension_id=EXTENSION_ID,
        listener_id=LISTENER_ID,
    )


def test_portal_csv_tells_the_sign_in_and_not_the_event(tmp_path: Path) -> None:
    """The portal's CSV has no Authentication Events: a failed sign-in is still seen, as one that is not told whole."""
    rows = [
        {
            "Date (UTC)": "2026-11-20T09:00:00Z",
            "Correlation ID": correlation_id(1),
            "Username": "a@sample.example",
            "Application": "Sample portal",
            "Application ID": APP_ID,
            "Sign-in error code": code,
        }
        for code in ("1100001", "0", "50126", "")
    ]
    log = read(as_csv(rows).encode(), tmp_path)

    (event,) = log.events
    assert (event.result, event.code, event.logged, event.failed) == (1100001, None, False, True)
    assert (event.at, event.app_id) == (dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC), APP_ID)


def test_inner_code_as_the_result_is_the_event(tmp_path: Path) -> None:
    """Some sign-ins end with the event's own code."""
    log = read(json.dumps([{"CorrelationId": correlation_id(1), "ResultType": "1003021"}]).encode(), tmp_path)

    assert [(event.code, event.logged, event.before_call) for event in log.events] == [(1003021, True, True)]


def test_failure_that_no_event_explains_is_told(tmp_path: Path) -> None:
    """A sign-in that ends with the wrapper failed, also where each of its events says that it went well."""
    rows = [
        signin(1, callout(), status={"errorCode": 1100001}),
        signin(2, callout(), callout(code=1003005), status={"errorCode": 1100001}),
    ]
    log = read(json.dumps(rows).encode(), tmp_path)

    assert [(event.code, event.logged, event.failed) for event in log.events] == [
        (None, True, False),
        (None, False, True),
        (None, True, False),
        (1003005, True, True),
    ]


def test_events_of_other_types_are_counted_and_left(tmp_path: Path) -> None:
    """A tenant may have extensions for sign-up and mail, too."""
    rows = [signin(1, callout(code=1003005), event="emailOtpSend"), signin(2), signin(3, callout(), callout())]
    rows.append(signin(4, callout(), event="emailOtpSend"))
    log = read(json.dumps(rows).encode(), tmp_path)

    # The first sign-in failed because of the other event, which is named; the others succeeded.
    assert [(event.event_type, event.code) for event in log.events] == [
        ("emailOtpSend", 1003005),
        ("tokenIssuanceStart", None),
        ("tokenIssuanceStart", None),
    ]
    assert (log.rows, log.others) == (4, {"emailOtpSend": 1})


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-20T09:00:00.1234567Z", dt.datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=dt.UTC)),
        ("2026-11-20T10:00:00+01:00", dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)),
        ("2026-11-20 09:00:00", dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)),
        ("11/20/2026, 9:00:00.000 AM", dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)),
        ("11/20/2026, 9:00:00 AM", dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("", None),
    ],
)
def test_times_are_read_as_the_portals_write_them(text: str, at: dt.datetime | None, tmp_path: Path) -> None:
    """ISO 8601 with any precision and zone, and the tables' own form; anything else is no time."""
    row = signin(1, callout(at=text), createdDateTime=text)
    (event,) = read(json.dumps([row]).encode(), tmp_path).events

    assert event.at == at


def test_heading_in_local_time_is_no_time(tmp_path: Path) -> None:
    """A time that would be hours off is worse than none."""
    row = {
        "CorrelationId": correlation_id(1),
        "TimeGenerated [Local Time]": "2026-11-20 09:00",
        "ResultType": "1003005",
    }
    (event,) = read(as_csv([row]).encode(), tmp_path).events

    assert event.at is None


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "blanks": (b" \r\n\t ", "empty"),
    "a mark alone": (b"\xef\xbb\xbf", "empty"),
    "not JSON": (b'{"value": [}', "not JSON"),
    "a truncated page": (json.dumps({"value": THREE}).encode()[:-20], "not JSON"),
    "truncated lines": ("\n".join(map(json.dumps, THREE)).encode()[:-20], "line 3"),
    "a binary": (b"\x7fELF\x02\x01\x00\x00", "binary"),
    "a workbook": (b"PK\x03\x04\x14\x00", "export it as CSV or JSON"),
    "gzip": (b"\x1f\x8b\x08\x00", "unpack"),
    "Latin-1": ("a,b\nü,ä\n".encode("latin-1"), "UTF-8"),
    "half of a UTF-16 character": (b"\xff\xfea", "UTF-16"),
    "UTF-32": (b"\xff\xfe\x00\x00a\x00\x00\x00", "binary"),
    "too much": (b"[" + b" " * 2**20 + b"]", "more than 1 MiB"),
    "nested without end": (b"[" * 100_000, "nested too deeply"),
    "a list of numbers": (b"[1, 2]", "entry 1"),
    "another object": (b'{"value": 3}', "without rows"),
    "tables without columns": (b'{"tables": [{"rows": []}]}', "columns"),
    "a row too short": (b'{"tables": [{"columns": [{"name": "CorrelationId"}], "rows": [[]]}]}', "row 1"),
    "a column without a name": (b'{"tables": [{"columns": [{}], "rows": [[1]]}]}', "without a name"),
    "prose": (b"Dear all, please\n", "without rows; it is not CSV"),
    "other columns": (b"name,size\na,1\n", "correlationId"),
    "a line of CSV cut off": (b"CorrelationId,ResultType,AppId\na,0\n", "line 2"),
    "an open quote": (b'CorrelationId,ResultType\n"a,0\n', "line"),
    "an error code that is none": (json.dumps([signin(1, {**callout(), "errorCode": "lots"})]).encode(), "errorCode"),
    "listeners that are none": (json.dumps([signin(1, appliedEventListeners=["x"])]).encode(), "appliedEventListeners"),
    "listeners as text cut off": (json.dumps([signin(1, appliedEventListeners='[{"a"')]).encode(), "not JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_refused_with_a_reason_and_the_place(name: str, tmp_path: Path) -> None:
    """The message names the file and what is wrong, on one line, and shows nothing of the file."""
    data, reason = BAD[name]
    with pytest.raises(FileError) as caught:
        read(data, tmp_path)

    message = str(caught.value)
    assert message.startswith(str(tmp_path / "export"))
    assert reason in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    "make", [lambda path: path / "absent", lambda path: path, lambda _: Path("a\0b")], ids=["absent", "folder", "null"]
)
def test_path_that_cannot_be_read(make: Callable[[Path], Path], tmp_path: Path) -> None:
    """A path that leads nowhere is told as such."""
    with pytest.raises(FileError):
        read_text(str(make(tmp_path)))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (None, ""),
        ("Portal", "Portal"),
        ("Portal of ada@sample.example", "Portal of …"),
        ("At 203.0.113.7 now", "At … now"),
        ("At 2001:db8:85a3::8a2e:370:7334", "At …"),
        ("a\x1b[2Jb", "a?[2Jb"),
        ("x" * 90, "x" * 40),
    ],
)
def test_name_of_an_app_is_shown_without_addresses(name: str | None, shown: str) -> None:
    """Somebody may have named an app after a person."""
    assert shown_name(name) == shown

"""The endpoint's lines are found in whatever a platform wraps around them."""

import datetime as dt
import json
from pathlib import Path

import pytest

from selftest.tenant.signin_log.endpoint_log import EndpointLine, read_log
from selftest.tenant.signin_log.read_text import InputError
from tests.selftest.tenant.signin_log.exports import as_csv, as_query, correlation_id, endpoint_line

pytestmark = pytest.mark.without_endpoint  # real lines are its input

AT = dt.datetime(2026, 11, 20, 9, 2, 1, 500_000, tzinfo=dt.UTC)


def wrapped(lines: list[str]) -> dict[str, str]:
    """Write the lines as they reach people."""
    rows = [{"timestamp": AT.isoformat(), "message": line, "severityLevel": "1"} for line in lines]
    workspace = [{"TimeGenerated": AT.isoformat(), "Message": line} for line in lines]
    return {
        "as written": "\n".join(["Functions:", *lines, "another line"]),
        "with a time before": "\n".join(f"[2026-11-20T09:02:01.500Z] {line}" for line in lines),
        "with a level before": "\n".join(f"2026-11-20 09:02:01.5 [Information] {line}" for line in lines),
        "a query's tables": json.dumps(as_query(rows)),
        "the CLI's list": json.dumps(workspace, indent=2),
        "CSV": as_csv(rows, heads=lambda name: f"{name} [UTC]" if name == "timestamp" else name),
        "CSV of a workspace": as_csv(workspace),
        "JSON lines": "\n".join(map(json.dumps, rows)),
    }


FORMS = sorted(wrapped(["x"]))


@pytest.mark.parametrize("form", FORMS)
def test_lines_are_found(form: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each line has what the endpoint's record wrote into it, and the time where there is one."""
    good = endpoint_line(caplog, number=2, total_ms=1900.0, cold=True)
    refused = endpoint_line(caplog, number=None, outcome="audience", status=401, detail="expected x")
    first, second = read_log(wrapped([good, refused])[form], "log").lines

    at = None if form == "as written" else AT
    assert first == EndpointLine(
        at=at,
        correlation_id=correlation_id(2),
        outcome="claims",
        status=200,
        total_ms=1900.0,
        budget_ms=1500.0,
        phases_ms={"provider": 1900.0},
        cold=True,
    )
    assert (second.outcome, second.status, second.correlation_id) == ("audience", 401, None)
    assert second.detail == "expected x"
    assert first.slowest == "provider"


@pytest.mark.parametrize(
    "spoilt",
    [
        '{"event":"onTokenIssuanceStart","outcome":"cla',
        '{"event":"onTokenIssuanceStart","outcome":7,"status":200,"total_ms":1}',
        '{"event":"onTokenIssuanceStart","outcome":"claims","status":true,"total_ms":1}',
        '{"event":"onTokenIssuanceStart","outcome":"claims","status":200,"total_ms":-1}',
        '{"event":"onTokenIssuanceStart","outcome":"claims","status":200,"total_ms":1e400}',
        '{"event":"onTokenIssuanceStart","outcome":"claims","status":200,"total_ms":' + "9" * 5000 + "}",
        '{"event":"onTokenIssuanceStart","outcome":"a person","status":200,"total_ms":1}',
    ],
)
def test_spoilt_line_is_passed_over(spoilt: str, caplog: pytest.LogCaptureFixture) -> None:
    """One line that was cut or is another's does not cost the rest."""
    good = endpoint_line(caplog, number=1)

    assert len(read_log(f"{spoilt}\n{good}\n", "log").lines) == 1


@pytest.mark.parametrize(
    "text", ["nothing here\n", "a,b\n1,2\n", '{"value": []}', "[1]", '{"event":"onTokenIssuanceStart"}', "[2026] x"]
)
def test_log_without_a_line_is_an_error(text: str) -> None:
    """A wrong file is told as such rather than read as an endpoint that was never called."""
    with pytest.raises(InputError, match="log"):
        read_log(text, "log")


def test_phases_that_are_none_are_left_out() -> None:
    """A phase has a plain name and a time; nothing else of the object is shown."""
    (line,) = read_log(
        '{"event":"onTokenIssuanceStart","outcome":"claims","status":200,"total_ms":1,'
        '"phases":{"provider":2,"Ada Sample":3,"token":"x","keys":true},"failure":"Ada"}',
        "log",
    ).lines

    assert dict(line.phases_ms) == {"provider": 2.0}
    assert (line.failure, line.budget_ms) == (None, None)


def test_line_of_today_and_of_later_versions() -> None:
    """Phases of any name, refusals that were not written, a stalled loop, and members that nobody knows yet."""
    phases = {"token": 1, "db-Read!#$%&'*+.^_`|~": 2, "other": 3, "x" * 33: 4}
    document = {
        "event": "onTokenIssuanceStart",
        "outcome": "audience",
        "status": 401,
        "total_ms": 1,
        "phases": phases,
        "not_written": 41,
        "loop_stalled_ms": 612.5,
        "new": {"a": [1]},
    }
    (line,) = read_log(json.dumps(document), "log").lines

    assert dict(line.phases_ms) == {"token": 1.0, "db-Read!#$%&'*+.^_`|~": 2.0, "other": 3.0}
    assert (line.not_written, line.loop_stalled_ms) == (41, 612.5)


@pytest.mark.parametrize("value", [True, -1, 0, 1.5, "7", None, [1]])
def test_count_that_is_none_is_not_believed(value: object) -> None:
    """A count is a whole number above zero, and a stall a time."""
    document = {"event": "onTokenIssuanceStart", "outcome": "audience", "status": 401, "total_ms": 1}
    (line,) = read_log(json.dumps({**document, "not_written": value, "loop_stalled_ms": str(value)}), "log").lines

    assert (line.not_written, line.loop_stalled_ms) == (0, None)


def test_order_of_a_date_in_a_log_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """A table of the portal has the order of the United States; another row may say otherwise."""
    rows = [{"timestamp": "3/2/2026, 8:33:00.000 AM", "message": endpoint_line(caplog, number=1)}]
    march = read_log(as_csv(rows), "log")
    february = read_log(as_csv([*rows, {"timestamp": "13/2/2026, 8:33:00.000 AM", "message": "x"}]), "log")

    assert march.lines[0].at == dt.datetime(2026, 3, 2, 8, 33, tzinfo=dt.UTC)
    assert "month/day/year" in march.assumed
    assert february.lines[0].at == dt.datetime(2026, 2, 3, 8, 33, tzinfo=dt.UTC)
    assert "day/month/year" in february.assumed


def test_plain_log_that_looks_like_csv_keeps_its_first_line() -> None:
    """Lines with a comma each are no table without a column of times."""
    log = read_log("2026-03-02T08:32:10Z [Information], 2 functions loaded\n2026-03-02T08:32:11Z a, b\n", "log")

    assert [start.functions for start in log.starts] == [2]


def test_path_is_in_the_message(tmp_path: Path) -> None:
    """The reader knows which of two files is meant."""
    with pytest.raises(InputError, match=r"app\.log"):
        read_log("nothing", str(tmp_path / "app.log"))

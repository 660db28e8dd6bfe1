"""The app that never started: the host's lines say so, and every event without a line is explained by them."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from selftest.cli import main
from selftest.tenant.signin_log.endpoint_log import read_log
from selftest.tenant.signin_log.host_log import AppStart
from selftest.tenant.signin_log.read_text import InputError
from tests.selftest.tenant.signin_log.exports import as_csv, callout, signin

BROKEN = [
    "2026-03-02T08:32:10Z   [Information]   Reading functions metadata (Custom)",
    "2026-03-02T08:32:11Z   [Error]   Worker failed to index functions",
    "Result: Failure",
    "Exception: ModuleNotFoundError: No module named 'requests'. Cannot find module.",
    "2026-03-02T08:32:12Z   [Information]   0 functions found (Custom)",
    "2026-03-02T08:32:12Z   [Information]   0 functions loaded",
]
STARTED = [
    "2026-03-02T08:40:10Z   [Information]   Reading functions metadata (Custom)",
    "2026-03-02T08:40:10Z   [Information]   2 functions found (Custom)",
    "2026-03-02T08:40:10Z   [Information]   0 functions found (Host)",
    "2026-03-02T08:40:11Z   [Information]   2 functions loaded",
]
AT = dt.datetime(2026, 3, 2, 8, 32, 10, tzinfo=dt.UTC)
LATER = AT.replace(minute=40)
ERROR = "ModuleNotFoundError: no module named requests"
MISSING = AppStart(0, ERROR, AT)
GOOD = AppStart(2, "", LATER)


def in_csv(lines: list[str]) -> str:
    """Write lines as a table of Application Insights."""
    return as_csv([{"timestamp": line[:20], "message": line} for line in lines])


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("\n".join(BROKEN), (MISSING,)),
        ("\n".join(STARTED), (GOOD,)),
        ("\n".join(BROKEN + STARTED), (MISSING, GOOD)),
        (
            "\n".join(STARTED + [line.replace("T08:32", "T08:50") for line in BROKEN]),
            (GOOD, AppStart(0, ERROR, AT.replace(minute=50))),
        ),
        (in_csv(BROKEN), (MISSING,)),
        (in_csv([line for line in reversed(BROKEN + STARTED) if line[:4] == "2026"]), (AppStart(0, "", AT), GOOD)),
        (json.dumps([{"message": line} for line in BROKEN], indent=1), (MISSING,)),
        # The Azure CLI sorts members by name, so that a row's time follows its text.
        (
            json.dumps([{"Message": line[27:], "TimeGenerated": line[:20]} for line in [*BROKEN[:2], *STARTED]]),
            (AppStart(0, "", AT), GOOD),
        ),
        # A start whose end is missing is another start, and not the one before it.
        (
            "\n".join([*STARTED, "2026-03-02T09:00:00Z 0 functions found (Custom)"]),
            (GOOD, AppStart(0, "", LATER.replace(hour=9, minute=0, second=0))),
        ),
        # An exception of a request before the start is not of the start.
        ("\n".join(["2026-03-02T08:39:50Z Executed", "Exception: ValueError: x", *STARTED]), (GOOD,)),
        (
            "\n".join(["2026-03-02T08:31:50Z Executed", "Exception: ValueError: x", BROKEN[0], *BROKEN[-2:]]),
            (AppStart(0, "", AT),),
        ),
        ("0 functions found (Custom)", (AppStart(0),)),
        ("1 function loaded", (AppStart(1),)),
        ("No job functions found. Try making your job classes and methods public.", (AppStart(0),)),
        ("Did not find functions with language [python].", (AppStart(0),)),
        ("Exception: SettingsError: x is 'secret'\nWorker failed to index functions", (AppStart(0, "SettingsError"),)),
    ],
)
def test_starts_are_read(text: str, starts: tuple[AppStart, ...]) -> None:
    """Whatever wraps the lines; the oldest first; of an exception nothing but its class."""
    assert read_log(text, "log").starts == starts


@pytest.mark.parametrize(
    "text", ["Executed 'Functions.onTokenIssuanceStart'", "the functions found their way; 10 functional tests loaded"]
)
def test_other_lines_are_no_start(text: str) -> None:
    """Words that only look like the host's are none of its lines."""
    with pytest.raises(InputError, match="no line of the endpoint"):
        read_log(text, "log")


def report(
    event: dict[str, Any], log: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], *, failed: bool = True
) -> str:
    """Run the command on one event and a log, and return what it prints."""
    export, path = tmp_path / "signins.json", tmp_path / "host.log"
    export.write_text(json.dumps([signin(1, event)]))
    path.write_text("\n".join(log))
    assert main(["signin-log", "--file", str(export), "--log", str(path)]) == failed
    return capsys.readouterr().out


def failed(code: int = 1003002, status: int | None = 404, at: str = "2026-03-02T08:33:00Z") -> dict[str, Any]:
    """Make an event that failed, a minute after the broken start."""
    return callout(code=code, status=status, at=at)


NOT_STARTED = "At the app's last start before this event, 2026-03-02 08:32:10Z, the host loaded no function"


@pytest.mark.parametrize(("code", "status"), [(1003002, 404), (1003002, 503), (1003002, None), (1003005, 0)])
def test_event_is_explained_by_a_start_without_functions(
    code: int, status: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the log shows is said, with its time; no status is named that Entra did not get."""
    out = report(failed(code, status), BROKEN, tmp_path, capsys)

    assert f"{NOT_STARTED}, and its log has an exception: {ERROR}." in out
    assert ("404" in out.split("means")[1].partition("\n")[0]) is (status == 404)
    assert ("without an answer" in out) is (not status)
    assert "the last start, 2026-03-02 08:32:10Z, it loaded 0 functions" in out
    assert out.splitlines()[-1].endswith("; next: python -m selftest explain D01")


def test_start_without_a_reason_names_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty package looks like a wrong setting where the log has no exception."""
    out = report(failed(), [BROKEN[0], *BROKEN[-2:]], tmp_path, capsys)

    assert f"{NOT_STARTED}, and the log does not say why." in out
    assert "an empty package" in out
    assert "AppExceptions" in out


@pytest.mark.parametrize(("code", "status"), [(1003003, 200), (1003003, None), (1003002, 401), (1003027, 0)])
def test_event_that_needs_an_answer_is_not_explained_by_the_start(
    code: int, status: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reply, a refusal and a connection that failed do not come from an app without functions."""
    assert "no function," not in report(failed(code, status), BROKEN, tmp_path, capsys)


def test_start_after_the_event_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last start before the event counts, also where a good one followed."""
    out = report(failed(), BROKEN + STARTED, tmp_path, capsys)
    assert NOT_STARTED in out
    assert "another route or function name" not in out

    out = report(failed(at="2026-03-02T08:31:00Z"), BROKEN, tmp_path, capsys)
    assert "no function," not in out
    assert "the log given with --log does not show which it is" in out


@pytest.mark.parametrize("event", [failed(), callout(at="2026-03-02T08:33:00Z")])
def test_log_of_another_time_is_unknown(
    event: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log from fourteen months before says nothing about the event."""
    old = [line.replace("2026-03", "2025-01") for line in BROKEN]
    out = report(event, old, tmp_path, capsys, failed=bool(event["errorCode"]))

    assert "has nothing near this event: what the app did then is unknown" in out
    assert "2025-01-02 08:32:10Z to 2025-01-02 08:32:12Z" in out
    assert "loaded no function" not in out


def test_endpoint_that_answered_after_the_start_had_functions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line of the endpoint shows that a start followed which the log does not have."""
    line = '[2026-03-02T08:32:40Z] {"event":"onTokenIssuanceStart","outcome":"claims","status":200,"total_ms":1}'

    assert "loaded no function" not in report(failed(), [*BROKEN, line], tmp_path, capsys)


def test_log_without_times_says_what_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The start may have been after the event."""
    out = report(failed(), ["0 functions loaded"], tmp_path, capsys)

    assert "At the last start in the log (whether it was before this event is unknown) the host loaded no" in out


def test_app_that_started_is_not_blamed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its host loaded functions, so that 404 may be the route."""
    out = report(failed(at="2026-03-02T08:41:00Z"), STARTED, tmp_path, capsys)

    assert "the host loaded 2 functions. Possible causes: the URL has another route or function name" in out
    assert "did not start" not in out


def test_host_log_that_names_the_event_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The host writes the function's name, which makes no line of the endpoint."""
    log = [*STARTED, "Executing 'Functions.onTokenIssuanceStart'"]
    out = report(callout(at="2026-03-02T08:41:00Z"), log, tmp_path, capsys, failed=False)

    assert "no line for it" in out

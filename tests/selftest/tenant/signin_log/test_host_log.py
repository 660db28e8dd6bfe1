"""The app that never started: the host's lines say so, and every event without a line is explained by them."""

import json
from pathlib import Path

import pytest

from selftest.cli import main
from selftest.tenant.signin_log.host_log import AppStart, read_start
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
MISSING = AppStart(0, "ModuleNotFoundError: no module named requests")


def in_csv(lines: list[str]) -> str:
    """Write lines as a table of Application Insights."""
    return as_csv([{"timestamp": line[:20], "message": line} for line in lines])


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("\n".join(BROKEN), MISSING),
        ("\n".join(STARTED), AppStart(2)),
        ("\n".join(BROKEN + STARTED), AppStart(2)),
        ("\n".join(STARTED + [line.replace("T08:32", "T08:50") for line in BROKEN]), MISSING),
        (in_csv(BROKEN), MISSING),
        (in_csv([line for line in reversed(BROKEN + STARTED) if line[:4] == "2026"]), AppStart(2)),
        (json.dumps([{"message": line} for line in BROKEN], indent=1), MISSING),
        ("0 functions found (Custom)", AppStart(0)),
        ("1 function loaded", AppStart(1)),
        ("No job functions found. Try making your job classes and methods public.", AppStart(0)),
        ("Did not find functions with language [python].", AppStart(0)),
        ("Exception: SettingsError: x is 'secret'\nWorker failed to index functions", AppStart(0, "SettingsError")),
        ("Executed 'Functions.onTokenIssuanceStart'", None),
        ("the functions found their way; 10 functional tests loaded", None),
        ("", None),
    ],
)
def test_last_start_is_read(text: str, start: AppStart | None) -> None:
    """Whatever wraps the lines; of several starts the last by time; of an exception nothing but its class."""
    assert read_start(text) == start


@pytest.mark.parametrize("status", [404, 503, None])
def test_event_is_explained_by_an_app_that_did_not_start(
    status: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log with nothing but the host's lines is a log: it says that the app did not start, and why."""
    export, log = tmp_path / "signins.json", tmp_path / "host.log"
    export.write_text(json.dumps([signin(1, callout(code=1003002, status=status))]))
    log.write_text("\n".join(BROKEN))

    assert main(["signin-log", "--file", str(export), "--log", str(log)]) == 1
    out = capsys.readouterr().out
    assert "The app did not start: settings or imports stop it (ModuleNotFoundError: no module named requests)" in out
    assert "loaded 0 functions" in out
    assert out.splitlines()[-1].endswith("; next: python -m selftest explain D01")


def test_app_that_started_is_not_blamed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its host loaded functions, so that 404 is the route."""
    export, log = tmp_path / "signins.json", tmp_path / "host.log"
    export.write_text(json.dumps([signin(1, callout(code=1003002, status=404))]))
    log.write_text("\n".join(STARTED))

    assert main(["signin-log", "--file", str(export), "--log", str(log)]) == 1
    out = capsys.readouterr().out
    assert "did not start" not in out
    assert "the URL has another route or function name than the app" in out


def test_host_log_that_names_the_event_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The host writes the function's name, which makes no line of the endpoint."""
    export, log = tmp_path / "signins.json", tmp_path / "host.log"
    export.write_text(json.dumps([signin(1, callout())]))
    log.write_text("\n".join([*STARTED, "Executing 'Functions.onTokenIssuanceStart'"]))

    assert main(["signin-log", "--file", str(export), "--log", str(log)]) == 0
    assert "no line for it" in capsys.readouterr().out

"""``signin`` and ``check`` against an app whose provider is at fault: the cause is under the verdict."""

import json
from pathlib import Path

import pytest

from selftest.cli import main
from tests.selftest.failing_providers import BODIES, FAULTY_LINE, copy_app

FOLDER = "claims/providers"


@pytest.fixture(scope="module", name="app")
def faulty_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an app with a provider for each fault."""
    return copy_app(tmp_path_factory.mktemp("faulty"), **BODIES)


@pytest.mark.parametrize(
    ("provider", "exit_code", "verdict", "logged", "cause"),
    [
        (
            "raises",
            1,
            "FAIL  no token: 1003002",
            f"AttributeError at {FOLDER}/raises.py:{FAULTY_LINE}",
            "the provider raised",
        ),
        ("late", 1, "FAIL  no token: 1003002", "503 provider_late: the budget ran out", "within the budget"),
        ("garbage", 1, "FAIL  no token: 1003002", "503 claim_value: A", "cannot be sent as a claim"),
        (
            "dies",
            1,
            "FAIL  no token: 1003002",
            "the app's process ended (exit code 3)",
            "process ended during the call",
        ),
        (
            "blocks",
            0,
            "WARN  token minted by the retry",
            f"at {FOLDER}/blocks.py:{FAULTY_LINE} ",
            "event loop is blocked",
        ),
        (
            "hangs",
            1,
            "FAIL  no token after 2 attempts: 1003005",
            f"blocked at claims/providers/hangs.py:{FAULTY_LINE}",
            "loop is blocked",
        ),
    ],
)
def test_the_cause_is_under_the_verdict(
    app: Path,
    capsys: pytest.CaptureFixture[str],
    provider: str,
    exit_code: int,
    verdict: str,
    logged: str,
    cause: str,
) -> None:
    """Verdict, the app's line, its cause, and what to do."""
    code = main(["signin", "--app", str(app), "--setting", f"Claims__Provider={provider}"])
    lines = capsys.readouterr().out.splitlines()
    under = lines[1 : lines.index("")]
    assert lines[0].startswith(verdict)
    assert code == exit_code
    assert any(logged in line for line in under if line.startswith(("  app ", "  host "))), under
    causes = [line for line in under if line.startswith("  cause ")]
    assert [cause in line for line in causes] == [True]
    assert any(line.startswith("  fix ") for line in under)


def test_both_attempts_of_a_late_token_are_timed(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The retry alone saved the sign-in: a warning, in JSON too, with what the app logged."""
    assert main(["signin", "--app", str(app), "--setting", "Claims__Provider=blocks", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (warning,) = document["verdict"]["warnings"]
    assert warning["kind"] == "minted-by-retry"
    assert "attempt 1 timed out after 2,0" in warning["message"]
    assert "attempt 2 answered 200 in " in warning["message"]
    assert document["app_lines"][0]["loop_stalled_ms"] > 2000


def test_a_check_shows_the_line_and_does_not_wait(
    app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A provider that raises will raise again: the first finding is there at once, with its file and line."""
    out = tmp_path / "results.json"
    assert main(["check", "C01", "--app", str(app), "--setting", "Claims__Provider=raises", "--json", str(out)]) == 1
    text = capsys.readouterr().out
    results = json.loads(out.read_text())
    (check,) = results["checks"]
    assert check["app_lines"][0]["detail"] == f"AttributeError at claims/providers/raises.py:{FAULTY_LINE}"
    assert f"AttributeError at claims/providers/raises.py:{FAULTY_LINE}" in text
    assert check["fix"].startswith("Correct the line that is named")
    assert results["duration_s"] < 10


def test_a_misspelt_setting_is_refused_with_the_nearest(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything starts."""
    assert main(["signin", "--app", str(app), "--setting", "Claims__Providr=mine"]) == 2
    assert "Claims__Providr: the app has no such setting; the nearest is Claims__Provider" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("provider", "kind", "warned"),
    [
        ("sleeps", "blocked-loop", f"warning  the event loop was blocked at {FOLDER}/sleeps.py:{FAULTY_LINE} for "),
        (
            "lacks",
            "no-value",
            "warning  not sent, because the provider returned None for it, or its name is blank: 'A'.",
        ),
    ],
)
def test_a_good_sign_in_warns(
    app: Path, capsys: pytest.CaptureFixture[str], provider: str, kind: str, warned: str
) -> None:
    """The user gets the token, and the developer learns what the log says; the provider that answered is named."""
    setting = f"Claims__Provider={provider}"
    assert main(["signin", "--app", str(app), "--setting", setting]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("PASS  token minted with 1 custom claim")
    assert any(line.startswith(warned) for line in lines), lines
    assert f"answered by  {setting}" in lines
    assert main(["signin", "--app", str(app), "--setting", setting, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["provider"] == provider
    assert kind in {warning["kind"] for warning in document["verdict"]["warnings"]}


def test_a_check_warns_of_claims_without_a_value(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No check fails by what is not sent."""
    assert main(["check", "C07", "--app", str(app), "--setting", "Claims__Provider=lacks"]) == 0
    assert (
        "warning: not sent, because the provider returned None for it, or its name is blank: 'A'."
        in capsys.readouterr().err
    )

"""A file that somebody mixed up with another is named as what it seems to be, with the command that reads it."""

import json
from pathlib import Path
from typing import Any

import pytest

from selftest.cli import main
from tests.selftest.tenant.signin_log.exports import THREE, callout, signin

LINE = {"event": "onTokenIssuanceStart", "outcome": "claims", "status": 200, "total_ms": 1}
POLICY = {"definition": ['{"ClaimsMappingPolicy":{"Version":1}}'], "displayName": "x"}


def refused(capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """Run the command and return the one line that it prints on stderr."""
    assert main(["signin-log", *flags]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    return err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-02T08:32:10Z [Information] 0 functions found (Custom)\n", "give that as --log"),
        (json.dumps(LINE), "give that as --log"),
        (json.dumps([{"TimeGenerated": "2026-03-02T08:32:10Z", "Message": json.dumps(LINE)}]), "give that as --log"),
        (json.dumps({"applications": [], "servicePrincipals": []}), "`doctor --file FILE` reads it"),
        (json.dumps(POLICY), "--mapping FILE` compares a reply with it"),
        (json.dumps({"value": [POLICY]}), "--mapping FILE` compares a reply with it"),
    ],
)
def test_other_file_is_named(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Given as --file, whatever its format is."""
    path = tmp_path / "collected"
    path.write_text(text)

    assert said in refused(capsys, "--file", str(path))


@pytest.mark.parametrize("document", [{"of": "another table"}, [], [1], {"value": [signin(1, {"errorCode": "x"})]}])
def test_unknown_file_is_not_guessed(document: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is named that the file does not show; a sign-in log with a row that cannot be read is one."""
    path = tmp_path / "collected"
    path.write_text(json.dumps(document))
    main(["signin-log", "--file", str(path)])

    assert "looks like" not in capsys.readouterr().err


def test_sign_in_log_given_as_log_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The two flags are easily swapped."""
    path = tmp_path / "signins.json"
    path.write_text(json.dumps({"value": THREE}))

    assert "it looks like a sign-in log: `signin-log --file FILE` reads it" in refused(
        capsys, "--file", str(path), "--log", str(path)
    )


@pytest.mark.parametrize("flag", ["--file", "--log"])
def test_half_a_file_is_called_incomplete(flag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cut inside a text, it has no line of anything: that is not what is wrong with it."""
    whole, half = tmp_path / "whole.json", tmp_path / "half.json"
    whole.write_text(json.dumps([signin(1, callout())]))
    half.write_text(json.dumps([{"message": "a line that says nothing"}])[:-10])
    err = refused(capsys, *(("--file", str(half)) if flag == "--file" else ("--file", str(whole), "--log", str(half))))

    assert "not JSON: Unterminated string starting at line 1" in err
    assert "the end of the file is missing" in err

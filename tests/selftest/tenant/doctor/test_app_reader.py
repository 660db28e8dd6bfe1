"""D01: the app's settings are judged by the app's reader, in the app's Python."""

import json
import sys
from pathlib import Path

import pytest

from selftest.base.app_folder import AppFolder
from selftest.cli import main, parser
from selftest.tenant.doctor.examination import examine
from selftest.tenant.doctor.sources import app_reader
from selftest.tenant.doctor.sources.app_reader import NotJudged, has_reader, judge_settings
from tests.checkout import ROOT
from tests.selftest.tenant.doctor.doctor_input import (
    OTHER,
    TENANT,
    DoctorInput,
    examined,
    found,
    healthy_settings,
    hinted,
)

SECRET = "s3cret-value-that-nobody-may-see"


def app_with_reader(folder: Path, body: str) -> AppFolder:
    """Make an app whose reader is this."""
    (folder / "claims").mkdir()
    (folder / "claims" / "errors.py").write_text("class SettingsError(Exception):\n    problems = ('one', 'two')\n")
    (folder / "claims" / "provider_module.py").write_text(body)
    return AppFolder.at(folder, Path(sys.executable))


def test_reader_of_the_app_is_asked(tmp_path: Path) -> None:
    """Problems are its own, of the provider too; a warning is a hint."""
    sick = DoctorInput(flags=["--app-dir", str(ROOT)])
    sick.env["Claims__Future"] = "x"
    examination = examined(sick, tmp_path)
    assert found(examination) == {}
    assert hinted(examination) == {"D01"}
    sick.env["Claims__Provider"] = "profile_api"
    problems = [
        finding.actual for one, finding in examined(sick, tmp_path).diagnosis.faults if one.statement.id == "D01"
    ]
    assert "Claims__ProfileApi__Url is required and is not set" in problems


def test_longer_authority_has_the_value_that_is_right(tmp_path: Path) -> None:
    """The finding has the authority without what follows the tenant's id, and the command that sets it."""
    sick = DoctorInput(flags=["--app-dir", str(ROOT)])
    right = f"https://login.microsoftonline.com/{TENANT}"
    sick.env["AuthenticationEvents__AuthorityUrl"] = f"{right}/v2.0"
    ((one, finding),) = examined(sick, tmp_path).diagnosis.faults

    assert one.statement.id == "D01"
    assert str(finding.command).endswith(f' --settings "AuthenticationEvents__AuthorityUrl={right}"')
    assert f"set AuthenticationEvents__AuthorityUrl to {right}." in one.fix_of(finding)


def test_fix_names_the_place_that_the_settings_came_from(tmp_path: Path) -> None:
    """A file first and the portal for the deployed app; an azd environment alone, because it is deployed from there."""
    sick = DoctorInput()
    sick.env["AuthenticationEvents__AudienceAppId"] = OTHER
    (tmp_path / ".azure" / "test").mkdir(parents=True)
    (tmp_path / ".azure" / "test" / ".env").write_text(
        "".join(f'{name}="{value}"\n' for name, value in sick.env.items())
    )
    ((one, finding),) = examined(sick, tmp_path).diagnosis.faults
    args = parser().parse_args(["doctor", "--file", str(tmp_path / "tenant.json"), "--azd-env", "test"])
    ((_, of_azd),) = examine(args, environ={}, directory=tmp_path).diagnosis.faults

    assert one.step_of(finding).startswith(f"{tmp_path / 'settings.json'}; where the app is deployed, Azure portal > ")
    assert one.step_of(of_azd).startswith("azd environment test (`azd env set NAME VALUE`, then `azd provision`): set ")


@pytest.mark.parametrize("name", ["Claims__Providr", "Claim__Provider", "Claims:Provider"])
def test_a_misspelt_setting_is_one_problem_with_the_nearest(name: str) -> None:
    """Also where the beginning is misspelt, which the app takes for somebody else's setting."""
    values = {**healthy_settings(), name: "graph"}
    problems = judge_settings(AppFolder.at(ROOT), values).problems
    assert [problem for problem in problems if name in problem] == [
        f"{name} is set, and no such setting is known: it must be Claims__Provider, or be removed"
    ]


def test_without_an_app_settings_are_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The statement is skipped with the way on, and holds by no default."""
    monkeypatch.chdir(tmp_path)
    Path("settings.json").write_text(json.dumps({"Values": healthy_settings()}))
    assert main(["doctor", "--settings", "settings.json"]) == 3
    assert f"no app of this project in {tmp_path}: name its folder with --app-dir DIR" in capsys.readouterr().out


def test_app_of_the_current_folder_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default is where the command is typed, and a secret that a reader quotes is replaced."""
    app_with_reader(
        tmp_path,
        "from claims.errors import SettingsError\n"
        "def configure(environ):\n"
        f"    error = SettingsError(); error.problems = (\"Claims__X: '{SECRET}' is bad\",); raise error\n",
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.json").write_text(json.dumps({"Values": healthy_settings()}))
    assert main(["doctor", "--settings", "settings.json"]) == 1
    out = capsys.readouterr().out
    assert f"Claims__X: a value of {len(SECRET)} characters is bad" in out
    assert SECRET not in out


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import no_such_module", r"\(ModuleNotFoundError: No module named 'no_such_module'\); name the app's Python"),
        (f"def configure(environ): raise LookupError('{SECRET}')", r"\(LookupError\); name"),
        ("def configure(environ): print('x'); import os; os._exit(3)", "settings; name"),
    ],
)
def test_reader_that_cannot_be_asked_is_a_reason(body: str, reason: str, tmp_path: Path) -> None:
    """The exception's kind is shown, and its message only where it names a module."""
    app = app_with_reader(tmp_path, body)
    with pytest.raises(NotJudged, match=reason) as caught:
        judge_settings(app, {"Claims__X": SECRET})
    assert SECRET not in str(caught.value)


def test_reader_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command goes on without it."""
    monkeypatch.setattr(app_reader, "_TIMEOUT_S", 1)
    app = app_with_reader(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(NotJudged, match="longer than 1 s"):
        judge_settings(app, {})


def test_interpreter_that_is_not_there(tmp_path: Path) -> None:
    """The flag that names another is in the reason."""
    app_with_reader(tmp_path, "")
    app = AppFolder.at(tmp_path, tmp_path / "python")
    assert has_reader(app)
    with pytest.raises(NotJudged, match="cannot be run: No such file or directory; name the app's Python"):
        judge_settings(app, {})

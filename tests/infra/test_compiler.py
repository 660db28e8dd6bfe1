"""``python -m infra.bicep``: where the compiler is looked for, and what its reports become."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra import bicep
from infra.bicep import COMPILER, INFRA, PREFLIGHT, CompilerError, find_compiler, main
from tests.infra.checkout import ROOT


def test_it_is_found_by_name_first(tmp_path: Path) -> None:
    """Then next to the checkout, on the PATH, and where az and azd install it; a wrong name is an error."""
    places = ("named", "beside", "path/bicep", "home/.azure/bin/bicep", "home/.azd/bin/bicep")
    for name in places:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch(mode=0o755)
    environ = {COMPILER: str(tmp_path / "named"), "PATH": str(tmp_path / "path"), "HOME": str(tmp_path / "home")}
    for place in places:
        assert find_compiler(environ, tmp_path / "beside") == tmp_path / place
        environ.pop(COMPILER, None)
        (tmp_path / place).unlink()
    assert find_compiler(environ, tmp_path / "beside") is None
    with pytest.raises(CompilerError, match="BICEP names nowhere, which does not exist"):
        find_compiler({COMPILER: "nowhere"})


def test_a_checkout_without_it_is_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says how to get it."""
    assert main([], {"PATH": str(tmp_path), "HOME": str(tmp_path)}) == 2
    assert "az bicep install" in capsys.readouterr().err


def _compiler(folder: Path, script: str) -> dict[str, str]:
    path = folder / "bicep"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {COMPILER: str(path)}


@pytest.mark.parametrize("script", ["echo Killed >&2; exit 137", "echo no such option >&2; exit 1", "exit 1"])
def test_a_compiler_that_fails_is_two(script: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Silence of one that did not run must not be taken for good files."""
    assert main([], _compiler(tmp_path, script)) == 2
    assert capsys.readouterr().err.startswith("bicep: ")


def test_a_warning_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The compiler itself ends with 0; several documents follow each other on its standard error."""
    place = {"artifactLocation": {"uri": (INFRA / "flex.bicep").as_uri()}, "region": {"startLine": 7}}
    result = {"ruleId": "BCP037", "message": {"text": "no such property"}, "locations": [{"physicalLocation": place}]}
    for name, results in (("one.sarif", []), ("two.sarif", [result])):
        (tmp_path / name).write_text(json.dumps({"runs": [{"results": results}]}))
    script = f"cat {tmp_path}/one.sarif {tmp_path}/two.sarif >&2"
    assert main(["--check"], _compiler(tmp_path, script)) == 1
    assert capsys.readouterr().out == "infra/flex.bicep:7: BCP037: no such property\n"


def test_a_stale_preflight_is_told_or_written(
    main_template: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With ``--check`` nothing is written."""
    stale = tmp_path / "preflight.json"
    stale.write_text("{}")
    monkeypatch.setattr(bicep, "PREFLIGHT", stale)
    (tmp_path / "main.json").write_text(json.dumps(main_template))
    environ = _compiler(tmp_path, f'cp {tmp_path}/main.json "$5"')  # build --pattern PATTERN --outdir OUT
    assert main(["--check"], environ) == 1
    assert capsys.readouterr().out == "infra/preflight.json is stale: run python -m infra.bicep\n"
    assert stale.read_text() == "{}"
    assert main([], environ) == 0
    assert stale.read_text() == PREFLIGHT.read_text()
    assert main(["--check"], environ) == 0


def test_the_linters_default_rules_are_errors() -> None:
    """A build with warnings alone succeeds, in a pipeline too; how old a version may be depends on no date."""
    rules = json.loads((ROOT / "infra/bicepconfig.json").read_text())["analyzers"]["core"]["rules"]
    assert len(rules) >= 35
    assert {rule["level"] for rule in rules.values()} == {"error"}
    assert "what-if-short-circuiting" in rules
    assert rules["use-recent-api-versions"]["maxAgeInDays"] == 0

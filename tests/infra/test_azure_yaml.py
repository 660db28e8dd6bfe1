"""azure.yaml: what is deployed is the package, and the hooks call what is here."""

import importlib.util
import re
from typing import Any

import pytest
import yaml

from infra.check import ROOT
from infra.checker.azd_file import scripts
from infra.checker.parameters import read_parameters, variables
from infra.package import DEFAULT_OUT
from selftest.cli import parser

PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text())
MODULES = sorted({name for script in scripts(PROJECT) for name in re.findall(r"-m ([\w.]+)", script)})
OURS = sorted(
    {words for script in scripts(PROJECT) for words in re.findall(r"-m selftest (.+)$", script, re.MULTILINE)}
)


def test_what_is_deployed_is_the_package() -> None:
    """Both ways: `azd up` names the zip, and azd's own packaging is stopped, because it would build another one."""
    service = PROJECT["services"]["api"]
    assert service["remoteBuild"] is False
    assert "exit 1" in service["hooks"]["prepackage"]["run"]
    steps = [step["azd"] for step in PROJECT["workflows"]["up"]["steps"]]
    assert steps == ["provision", f"deploy api --from-package {DEFAULT_OUT.relative_to(ROOT)}"]
    assert "make package" in "".join(hook["run"] for hook in PROJECT["hooks"]["predeploy"])


@pytest.mark.parametrize("name", MODULES)
def test_hooks_call_modules_that_are_here(name: str) -> None:
    """A hook that names nothing stops a deployment halfway."""
    assert importlib.util.find_spec(name) is not None


@pytest.mark.parametrize("words", OURS)
def test_hooks_give_flags_that_exist(words: str) -> None:
    """A flag that a command does not know stops a deployment halfway, too."""
    assert parser().parse_args(words.split()).run


def test_settings_have_one_name() -> None:
    """Where a parameter is one setting, azd's environment has it under the setting's own name."""
    main = (ROOT / "infra/main.bicep").read_text()
    pairs = re.findall(r"^  ((?:Claims|AuthenticationEvents)__\w+): (?:string\()?(\w+)\)?$", main, re.MULTILINE)
    given = read_parameters(ROOT / "infra/main.parameters.json")
    renamed = {setting: variables(given[name]) for setting, name in pairs if variables(given[name]) != [setting]}
    assert renamed == {"AuthenticationEvents__AudienceAppId": ["ENTRA_API_APP_ID"]}

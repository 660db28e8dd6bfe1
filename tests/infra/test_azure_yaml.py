"""azure.yaml: what is deployed is the package, and the hooks call what is here."""

import importlib.util
import json
import re
from typing import Any

import pytest
import yaml

from infra.bicep import PREFLIGHT
from infra.package import DEFAULT_OUT
from infra.parameters import read_parameters, variables
from selftest.cli import parser
from tests.infra.checkout import ROOT
from tests.infra.file_rules import scripts

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


def test_the_values_are_judged_before_anything_is_made() -> None:
    """The preflight is the first thing that the first hook runs, and what is pending there is what comes later."""
    lines = PROJECT["hooks"]["preprovision"][0]["run"].splitlines()
    assert lines[0] == "make .venv"
    assert lines[1].split() == [
        *(".venv/bin/python", "-m", "infra.preflight", "--parameters", "infra/main.parameters.json"),
        *("--pending", "location", "--pending", "audienceAppId"),
    ]


def test_settings_have_one_name() -> None:
    """Where a parameter is one setting, azd's environment has it under the setting's own name."""
    pairs = json.loads(PREFLIGHT.read_text())["settings"].items()
    given = read_parameters(ROOT / "infra/main.parameters.json")
    named = {setting: variables(given[parameter]) for setting, parameter in pairs}
    renamed = {setting: names for setting, names in named.items() if names != [setting]}
    assert renamed == {
        "AuthenticationEvents__AudienceAppId": ["ENTRA_API_APP_ID"],
        "AZURE_TENANT_ID": ["DOWNSTREAM_TENANT_ID"],
    }

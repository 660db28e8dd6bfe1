"""azure.yaml: what is deployed is the package, and the hooks call what is here."""

import importlib.util
import json
import subprocess
import sys
from typing import Any

import pytest
import yaml

from infra.azd_hook import HOOKS, commands, main
from infra.bicep import PREFLIGHT
from infra.package import DEFAULT_OUT
from infra.parameters import read_parameters, variables
from selftest.cli import parser
from selftest.commands import objects_session
from tests.infra.checkout import ROOT

PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text())
COMMANDS = [command for listed in HOOKS.values() for command in listed]
GRAPH_COMMANDS = [command for command in COMMANDS if command[0] == objects_session.__name__]


def test_what_is_deployed_is_the_package() -> None:
    """Both ways: `azd up` names the zip, and azd's own packaging is stopped, because it would build another one."""
    service = PROJECT["services"]["api"]
    assert service["remoteBuild"] is False
    script = service["hooks"]["prepackage"]["run"]
    stopped = subprocess.run([sys.executable, ROOT / script], capture_output=True, text=True, check=False)  # noqa: S603
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert "azd deploy api --from-package build/package.zip" in stopped.stderr
    steps = [step["azd"] for step in PROJECT["workflows"]["up"]["steps"]]
    assert steps == ["provision", f"deploy api --from-package {DEFAULT_OUT.relative_to(ROOT)}"]
    assert HOOKS["predeploy"][-1] == ["infra.package"]
    assert HOOKS["postdeploy"][1] == ["infra.rollback", "--keep"]


@pytest.mark.parametrize("name", sorted({command[0] for command in COMMANDS}))
def test_hooks_call_modules_that_are_here(name: str) -> None:
    """A hook that names nothing stops a deployment halfway."""
    assert importlib.util.find_spec(name) is not None


@pytest.mark.parametrize("words", [command[1:] for command in GRAPH_COMMANDS], ids=" ".join)
def test_hooks_give_flags_that_exist(words: list[str]) -> None:
    """A flag that a command does not know stops a deployment halfway, too."""
    assert words[0] in {objects_session.KEEP, objects_session.END}
    assert parser().parse_args(["objects", *words[1:]]).run


def test_only_what_needs_graph_signs_in() -> None:
    """First before anything is made, for all of it; a later provisioning needs nobody; the last hook ends it."""
    first = commands("preprovision", {"ENTRA_API_APP_ID": "x"})
    assert first == HOOKS["preprovision"]
    assert [command for command in first if command in GRAPH_COMMANDS] == GRAPH_COMMANDS[:1]
    assert "--sign-in-for" in GRAPH_COMMANDS[0]
    later = commands("preprovision", {"ENTRA_API_APP_ID": "x", "ENDPOINT_HOST": "x.example"})
    assert later == [["infra.preflight"]]
    assert [command[1] for command in GRAPH_COMMANDS] == [objects_session.KEEP, objects_session.END]
    assert GRAPH_COMMANDS[1] in HOOKS["postdeploy"]


def test_each_hook_is_a_script_in_python() -> None:
    """No shell, so that they work on Windows; azd gives a script no argument, so that each hook has a file."""
    hooks = PROJECT["hooks"]
    assert hooks.keys() == HOOKS.keys()
    for name, hook in hooks.items():
        assert (hook["run"], hook["kind"]) == (f"infra/hooks/{name}.py", "python")
        assert hook["config"] == {"virtualEnvName": "hooks_env"}


def test_the_values_are_judged_before_anything_is_made() -> None:
    """And after provisioning, when nothing may be missing any more; at the end warnings are repeated."""
    assert HOOKS["preprovision"][0] == ["infra.preflight"]
    assert HOOKS["predeploy"][0] == HOOKS["postdeploy"][-1] == ["infra.preflight", "--deployed"]


def test_a_hook_stops_at_the_first_failure() -> None:
    """Without an authority no app registration is made: the second command would ask for a sign-in."""
    script = ROOT / "infra/hooks/preprovision.py"
    done = subprocess.run([sys.executable, script], env={}, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1
    assert "azd env set AuthenticationEvents__AuthorityUrl https://login.microsoftonline.com/<tenantId>" in done.stdout
    assert done.stderr.endswith("preflight: 1 error\n")


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Azd takes the first one on the PATH."""
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    assert main("predeploy") == 2
    assert "put 3.13 or newer first on the PATH" in capsys.readouterr().err


def test_settings_have_one_name() -> None:
    """Where a parameter is one setting, azd's environment has it under the setting's own name."""
    pairs = json.loads(PREFLIGHT.read_text())["settings"].items()
    given = read_parameters(ROOT / "infra/main.parameters.json")
    assert {name: f"${{{name}}}" for name in given["settings"]} == given["settings"]
    named = {setting: variables(given[parameter]) for setting, parameter in pairs}
    renamed = {setting: names for setting, names in named.items() if names != [setting]}
    assert renamed == {
        "AuthenticationEvents__AudienceAppId": ["ENTRA_API_APP_ID"],
        "AZURE_TENANT_ID": ["DOWNSTREAM_TENANT_ID"],
    }


def test_a_pipeline_leaves_the_entra_objects_alone() -> None:
    """Its identity has no rights in Entra; everything else of a hook runs."""
    assert [one[0] for one in commands("preprovision", {})] == [
        "infra.preflight",
        "selftest.commands.objects_session",
    ]
    assert [one[0] for one in commands("preprovision", {"ENTRA_OBJECTS": "manual"})] == ["infra.preflight"]
    kept = commands("postdeploy", {"ENTRA_OBJECTS": "manual"})
    assert [one[0] for one in kept] == ["infra.rollback", "infra.preflight"]

"""Commands to paste: a shell takes them apart as they are meant, whatever stands in an id."""

import json
import subprocess
from pathlib import Path

import pytest

from selftest.tenant.doctor.statements.az_rest import app_setting, create_principal, graph, patch_application

HOSTILE = [
    "$(touch run)",
    "`touch run`",
    '"; touch run; "',
    "'; touch run; '",
    "\\",
    "!!",
    "a b",
    "$ref",
    "22222222-2222-4222-8222-222222222222",
]


def arguments(command: str, directory: Path) -> list[str]:
    """Let a shell take a command apart, with an `az` that prints what it is given."""
    script = f"az() {{ printf '%s\\0' \"$@\"; }}; {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, cwd=directory, check=True)  # noqa: S603, S607 - the subject
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("value", HOSTILE)
def test_value_stays_one_word(value: str, tmp_path: Path) -> None:
    """Path, body and id come out as they went in, and nothing is run."""
    path = f"/servicePrincipals/{value}/claimsMappingPolicies/$ref"
    command = graph("POST", path, {"id": value})
    asked = arguments(command, tmp_path)

    assert asked[:5] == ["rest", "--method", "POST", "--url", f"https://graph.microsoft.com/v1.0{path}"]
    assert json.loads(asked[-1]) == {"id": value}
    assert arguments(create_principal(value), tmp_path)[-1] == value
    assert arguments(patch_application(value, {}), tmp_path)[4].endswith(f"/applications(appId='{value}')")
    setting = app_setting("Claims__AllowedExtensionIds", value).replace("<group>", "g").replace("<app>", "a")
    assert arguments(setting, tmp_path)[-1] == f"Claims__AllowedExtensionIds={value}"
    assert list(tmp_path.iterdir()) == []

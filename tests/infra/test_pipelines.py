"""The pipelines: pinned by commit, with no more rights than they use, and made of this project's own commands."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Read one workflow."""
    read: dict[str, Any] = yaml.safe_load(request.param.read_text())
    return read


def _steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_by_commit() -> None:
    """A tag can be moved by whoever owns the action; a commit cannot. The tag stands beside it for people."""
    uses = [line for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    assert uses
    for line in uses:
        assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_one_action_has_one_pin() -> None:
    """Two pins of one action would be two versions to look after."""
    pins = {pin for path in WORKFLOWS for pin in re.findall(r"uses: (\S+)@(\S+)", path.read_text())}
    assert len({name for name, _ in pins}) == len(pins)


def test_rights_are_read_only_but_where_signing_in(workflow: dict[str, Any]) -> None:
    """A job may ask GitHub for a token for Azure only behind an environment, where reviewers stand."""
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        rights = job.get("permissions", {})
        assert set(rights) <= {"contents", "id-token"}
        assert ("id-token" in rights) == ("environment" in job)
        assert job["timeout-minutes"] <= 30


def test_no_credentials_stay_in_the_checkout(workflow: dict[str, Any]) -> None:
    """What runs after the checkout is code under review: it does not get the checkout's token."""
    checkouts = [step for step in _steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_nothing_given_from_outside_is_pasted_into_a_script(workflow: dict[str, Any]) -> None:
    """``${{ … }}`` in a script is replaced before the shell reads it; values come through the environment."""
    assert not [step["run"] for step in _steps(workflow) if "${{" in step.get("run", "")]


def test_make_targets_exist(workflow: dict[str, Any]) -> None:
    """What they call with make is in the Makefile."""
    targets = set(re.findall(r"^([a-z.]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {name for step in _steps(workflow) for name in re.findall(r"\bmake ([a-z.]+)", step.get("run", ""))}
    assert called <= targets


def test_dev_container_makes_what_the_tests_use() -> None:
    """It is JSON, and its Python is the platform's."""
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert f":{(ROOT / '.python-version').read_text().strip()}" in container["image"]
    assert "make .venv" in container["postCreateCommand"]

"""The pipelines: pinned by commit, with no more rights than they use, and made of this project's own commands."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.pipeline import PARTS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
#: By workflow and job: everything that it may write.
WRITES = {
    ("check", "attest"): {"attestations", "id-token"},
    ("codeql", "analyze"): {"security-events"},
    ("deploy", "deploy"): {"id-token"},
    ("infrastructure", "azd"): {"id-token"},
    ("infrastructure", "comment"): {"pull-requests"},
    ("release", "draft"): {"attestations", "contents", "id-token"},
}
#: Where the jobs of a pull request may not come from: deployments are made of these refs only.
MAIN_OR_TAG = "github.ref == 'refs/heads/main' || startsWith(github.ref, 'refs/tags/v')"


def read(name: str) -> dict[str, Any]:
    """Read one workflow by its name."""
    found: dict[str, Any] = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())
    return found


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


def test_rights_are_read_only_but_where_named(workflow: dict[Any, Any]) -> None:
    """A job may sign in to Azure or write to a release only behind an environment, where reviewers stand."""
    assert workflow["permissions"] == {"contents": "read"}
    triggers = next(value for name, value in workflow.items() if str(name) == "True")  # what YAML reads `on` as
    assert not {"pull_request_target", "workflow_run"} & set(triggers)
    for name, job in workflow["jobs"].items():
        written = {right for right, level in job.get("permissions", {}).items() if level == "write"}
        assert written == WRITES.get((workflow["name"], name), set())
        assert ("id-token" in written) == ("environment" in job or name == "attest")
        assert job["timeout-minutes"] <= 30
    assert "concurrency" in workflow


def test_no_credentials_stay_in_the_checkout(workflow: dict[str, Any]) -> None:
    """What runs after the checkout is code under review: it does not get the checkout's token."""
    checkouts = [step for step in _steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_who_signs_runs_no_code_of_the_repository() -> None:
    """The jobs that attest, deploy or release have no checkout: they handle finished files."""
    for name, job in [("check", "attest"), ("deploy", "deploy"), ("infrastructure", "comment"), ("release", "draft")]:
        steps = read(name)["jobs"][job]["steps"]
        assert not [step for step in steps if "checkout" in step.get("uses", "") or "make " in step.get("run", "")]


def test_what_the_checks_made_is_what_is_deployed() -> None:
    """One build, attested after every check; the same name is downloaded, verified by digest, then uploaded."""
    jobs = read("check")["jobs"]
    assert set(jobs["attest"]["needs"]) == set(jobs) - {"attest"}
    (built,) = [step for step in jobs["check"]["steps"] if step.get("run") == "make package"]
    assert built["if"] == "${{ matrix.python == '3.13' }}"
    assert built["env"] == {"PACKAGE_EXTRA": "${{ vars.PACKAGE_EXTRA }}"}
    assert (ROOT / ".python-version").read_text().strip() == "3.13"
    job = read("deploy")["jobs"]["deploy"]
    assert job["if"] == f"${{{{ {MAIN_OR_TAG} }}}}"
    download, verify, sign_in, deploy, _ = job["steps"]
    for flag in ('--commit "$GITHUB_SHA"', "--status success", "--event push", "--workflow check.yml"):
        assert flag in download["run"]
    for flag in ("verify package.zip", '--source-ref "$GITHUB_REF"', '--source-digest "$GITHUB_SHA"', "/check.yml"):
        assert flag in verify["run"]
    assert sign_in["uses"].startswith("azure/login@")
    assert "--src package.zip --build-remote false" in deploy["run"]


def test_a_pull_request_is_previewed_and_not_applied() -> None:
    """Its comment is written by a job that cannot sign in, and a fork's gets no token."""
    job = read("infrastructure")["jobs"]["azd"]
    assert MAIN_OR_TAG in job["if"]
    assert "head.repo.full_name == github.repository" in job["if"]
    steps = {step["name"]: step for step in job["steps"] if "name" in step}
    assert steps["Apply"]["if"] == "${{ github.event_name == 'workflow_dispatch' }}"
    assert "--preview" in steps["Preview"]["run"]
    assert "--preview" not in steps["Apply"]["run"]


def test_values_are_checked_where_no_hook_does_it() -> None:
    """A preview runs no hook, and the hook that looks for what is missing belongs to the deployment of the code."""
    steps = {step.get("name"): step for step in read("infrastructure")["jobs"]["azd"]["steps"]}
    preview = steps["Preview"]["run"]
    assert preview.index("python -m infra.preflight --env") < preview.index("azd provision --preview")
    check = steps["Check what was deployed"]
    assert check["run"] == 'python -m infra.preflight --deployed --env "$AZURE_ENV_NAME"'
    assert check["if"] == steps["Apply"]["if"]
    assert list(steps).index("Check what was deployed") == list(steps).index("Apply") + 1


def test_the_page_the_workflows_and_the_command_name_the_same() -> None:
    """Each variable, environment and role; one that the page lacks would be found out at the first deployment."""
    page = (ROOT / "docs/deploy.md").read_text()
    section = page[page.index("## The pipeline") : page.index("## What stays up")]
    used = {
        name: set(re.findall(r"\bvars\.(\w+)", (ROOT / f".github/workflows/{name}.yml").read_text()))
        for name in ("check", "deploy", "infrastructure")
    }
    by_suffix = {part.suffix: set(part.variables) for part in PARTS}
    assert used["deploy"] == by_suffix[""] | {"ATTESTATIONS"}
    assert used["check"] == {"ATTESTATIONS", "PACKAGE_EXTRA"}
    assert used["infrastructure"] == by_suffix["-infrastructure"] == by_suffix["-preview"]
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", section))
    assert named == set().union(*used.values())
    for part in PARTS:
        assert f"`production{part.suffix}`" in section
        assert all(role in section for role in part.roles)
    text = (ROOT / ".github/workflows/infrastructure.yml").read_text()
    assert "'production-preview' || format('{0}-infrastructure', inputs.environment)" in text
    assert all(f"`{name}.yml`" in section for name in used)


def test_updates_wait_a_week() -> None:
    """Each ecosystem of Dependabot has a cooldown."""
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    assert {one["package-ecosystem"] for one in updates} >= {"pip", "npm", "github-actions"}
    assert all(one["cooldown"]["default-days"] >= 7 for one in updates)


def _zizmor(path: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("zizmor is not installed: make .venv installs it")
    run = [program, "--offline", "--no-progress", "--quiet", str(path)]
    return subprocess.run(run, capture_output=True, text=True, check=False)  # noqa: S603 - our own files


def test_zizmor_finds_nothing() -> None:
    """Workflows, the action and Dependabot's file, at its usual strictness."""
    done = _zizmor(ROOT / ".github")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "@v5"),
        ("on:\n  pull_request:", "on:\n  pull_request_target:"),
        ("run: make package", "run: echo ${{ github.event.pull_request.title }}"),
    ],
)
def test_zizmor_finds_planted_mistakes(right: str, wrong: str, tmp_path: Path) -> None:
    """It is run in a way in which it would find something."""
    text = (ROOT / ".github/workflows/check.yml").read_text()
    assert right in text
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/check.yml").write_text(text.replace(right, wrong))
    assert _zizmor(tmp_path).returncode >= 10


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

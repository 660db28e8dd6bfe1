"""The GitHub Action: its shell steps run against a local endpoint, and no input is code in them."""

import os
import re
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.selftest.load.endpoint import broken, good, serving
from tests.tool.action import ACTION, STEPS, Runner

pytestmark = pytest.mark.nightly


def play(tmp_path: Path, bin_dir: Path, **inputs: str) -> tuple[Runner, int]:
    """Run the steps after the installation, and return the last one's exit code."""
    runner = Runner(tmp_path)
    path = f"{bin_dir}{os.pathsep}{os.environ['PATH']}"
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    for name in ("Check", "Load", "Summary"):
        runner.known.setdefault("steps.load.outputs.code", "")
        if name == "Load" and runner.known["steps.check.outputs.code"] == "2":
            continue
        done = runner.run(name, given, path)
        assert done.returncode == 0, done.stderr
    return runner, runner.run("Verdict", given, path).returncode


def test_good_endpoint_passes_and_is_reported(tmp_path: Path, bin_dir: Path) -> None:
    """The exit code is the verdict's; reports and summary are there."""
    with serving(good) as url:
        runner, code = play(
            tmp_path,
            bin_dir,
            url=url,
            checks="C01 C02",
            check_arguments="--authority-port 0",
            load_arguments="--authority-port 0 --warmup 100ms",
            duration="1s",
        )
    assert code == int(runner.known["steps.verdict.outputs.code"])
    assert runner.known["steps.check.outputs.code"] == "0"
    assert code in {0, 3}  # how late the generator is on a busy machine
    for part in ("check", "load"):
        assert {"junit.xml", "report.html", "results.json"} <= {
            file.name for file in (tmp_path / "selftest-report" / part).iterdir()
        }
    assert "### entra-selftest check\n\n**PASS  2 checks " in runner.summary
    assert "### entra-selftest load" in runner.summary


def test_failure_fails_the_job(tmp_path: Path, bin_dir: Path) -> None:
    """A check that fails is the job's exit code, and the load's is not lost."""
    with serving(broken) as url:
        runner, code = play(tmp_path, bin_dir, url=url, checks="C01", check_arguments="--authority-port 0", rate="0")
    assert code == 1
    assert "**FAIL" in runner.summary


def test_endpoint_that_is_not_there_is_code_2(tmp_path: Path, bin_dir: Path) -> None:
    """What cannot run is told from what fails, and is not loaded; an input is a word, never a command."""
    runner, code = play(tmp_path, bin_dir, app="$(touch pwned); `touch pwned`", checks="C01")
    assert code == 2
    assert "there is no function_app.py in " in runner.summary
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("step", [step for step in STEPS if "run" in step], ids=lambda step: step["name"])
def test_shell_holds_no_expression(step: dict[str, str]) -> None:
    """Inputs reach the shell as variables, so that none of them is run."""
    assert "${{" not in step["run"]
    assert step["shell"] == "bash"


def test_actions_are_pinned_as_in_the_workflows() -> None:
    """An action of somebody else's is a commit, the same everywhere."""
    pins: dict[str, set[str]] = {}
    for path in [*(ROOT / ".github").rglob("*.yml")]:
        for name, commit in re.findall(r"uses: ([\w./-]+)@(\S+)", path.read_text()):
            assert re.fullmatch(r"[0-9a-f]{40}", commit), f"{path.name}: {name}"
            pins.setdefault(name, set()).add(commit)
    assert all(len(commits) == 1 for commits in pins.values())


def test_every_input_is_described_and_used() -> None:
    """No input is without effect."""
    text = str(ACTION["runs"])
    for name, described in ACTION["inputs"].items():
        assert described["description"]
        assert f"inputs.{name} " in text

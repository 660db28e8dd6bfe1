"""The wheel of this checkout, built once, and an environment that has it and its base dependencies alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.tool.action import Runner


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as `make wheel` does."""
    directory = tmp_path_factory.mktemp("dist")
    words = ["-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps", "--wheel-dir", str(directory)]
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, *words, str(ROOT)], capture_output=True, text=True, check=False
    )
    _skip_unless_installed(done)
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def bin_dir(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel without extras, as the action does, and return the folder of the console script.

    The pip is this Python's, so the environment has none to be measured; what is imported is compiled then.
    """
    runner = Runner(tmp_path_factory.mktemp("runner"))
    runner.known |= {"steps.python.outputs.python-path": sys.executable, "github.action_path": "not used"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_COMPILE", "1")
        done = runner.run("Install the tool", {"tool": str(wheel)}, os.environ["PATH"])
    _skip_unless_installed(done)
    return Path((runner.folder / "GITHUB_PATH").read_text().strip())


def _skip_unless_installed(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode != 0:
        pytest.skip(f"pip cannot install here: {done.stderr.strip()[-300:]}")

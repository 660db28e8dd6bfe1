"""The wheel of this checkout, built once, and an environment that has it and its base dependencies alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as `make wheel` does."""
    directory = tmp_path_factory.mktemp("dist")
    _run_pip("wheel", "--no-deps", "--wheel-dir", str(directory), str(ROOT))
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def bin_dir(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel without extras, and return the folder with the console script and the interpreter."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)  # noqa: S603 - this Python
    found = environment / ("Scripts" if os.name == "nt" else "bin")
    # The first pip: what --python runs is this interpreter's, so the environment has none of its own to be measured.
    _run_pip("--python", str(found / "python"), "install", str(wheel))
    return found


def _run_pip(*words: str) -> None:
    done = subprocess.run([*_PIP, *words], capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode != 0:
        pytest.skip(f"pip cannot install here: {done.stderr.strip()[-300:]}")

"""The composite action, read and run as GitHub's runner does: its shell steps in bash, with the inputs in their env."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.checkout import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "actions" / "selftest" / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
_EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")


@dataclass
class Runner:
    """A runner's folder, and what the steps have left there.

    Attributes:
        known: The value of every expression that a step's env may name.
    """

    folder: Path
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the files by which a step speaks to the runner."""
        for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
            (self.folder / name).touch()
        self.known |= {f"inputs.{name}": value.get("default", "") for name, value in ACTION["inputs"].items()}

    @property
    def summary(self) -> str:
        """The summary of the job."""
        return (self.folder / "GITHUB_STEP_SUMMARY").read_text()

    def run(self, name: str, inputs: Mapping[str, str], path: str) -> subprocess.CompletedProcess[str]:
        """Run the step of this name, and keep its outputs for the steps after it."""
        (step,) = (one for one in STEPS if one.get("name") == name)
        self.known |= {f"inputs.{key}": value for key, value in inputs.items()}
        env = {key: _EXPRESSION.sub(lambda found: self.known[found[1]], text) for key, text in step["env"].items()}
        files = {key: str(self.folder / key) for key in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        done = subprocess.run(  # noqa: S603 - as the runner calls bash
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "RUNNER_TEMP": str(self.folder), **files, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        outputs = dict(line.split("=", 1) for line in (self.folder / "GITHUB_OUTPUT").read_text().splitlines())
        (self.folder / "GITHUB_OUTPUT").write_text("")
        self.known |= {f"steps.{step.get('id')}.outputs.{key}": value for key, value in outputs.items()}
        return done

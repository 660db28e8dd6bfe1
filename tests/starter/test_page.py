"""docs/starter.md: the way from a full clone to a starter is walked."""

import os
import re
import shutil
from pathlib import Path

import pytest

from selftest import __version__
from selftest.starter.tool_wheel import packed
from tests.starter.commands import run, succeed
from tests.starter.wheels import ROOT

PAGE = (ROOT / "docs/starter.md").read_text()
_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
_AUTHOR = {f"GIT_{role}_{part}": "me@x.example" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Clone this repository, as a team did that wrote a provider and changed one of our files."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no Git checkout: there is nothing to clone")
    succeed(("git", "clone", "-q", "--depth", "1", f"file://{ROOT}", "clone"), tmp_path, **_GIT)
    clone = tmp_path / "clone"
    (clone / "claims/providers/contoso_hr.py").write_text("OURS = True\n")
    (clone / "host.json").write_text('{"version": "2.0"}\n')
    succeed(("git", "add", "."), clone, **_GIT)
    succeed(("git", "commit", "-qm", "Ours"), clone, **_GIT, **_AUTHOR)
    (clone / ".azure/prod").mkdir(parents=True)
    (clone / ".azure/prod/.env").write_text('AZURE_ENV_NAME="prod"\n')
    return clone


def test_full_clone_becomes_a_starter(clone: Path, tmp_path: Path) -> None:
    """The provider is theirs, the harness is gone, azd's environments and the history stay."""
    section = PAGE.partition("## From a full clone to a starter")[2]
    script = re.findall(r"```\n(.*?)```", section, re.DOTALL)[0]
    # The tool of this checkout in place of an installed one; its wheel is of no interest here.
    wheel = tmp_path / f"entra_selftest-{__version__}-py3-none-any.whl"
    wheel.write_bytes(packed({f"entra_selftest-{__version__}.dist-info/METADATA": b""}))
    tool = tmp_path / "bin/entra-selftest"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {ROOT}/.venv/bin/python -P -m selftest "$@" --wheel {wheel}\n')
    tool.chmod(0o755)
    done = run(("sh", "-ec", script), clone, **_GIT, **_AUTHOR, PATH=f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0, done.stdout
    assert (clone / "claims/providers/contoso_hr.py").read_text() == "OURS = True\n"
    assert not (clone / "selftest").exists()
    assert (clone / ".azure/prod/.env").is_file()
    assert (clone / "tests/test_contoso_hr.py").is_file()
    assert succeed(("git", "status", "--short"), clone, **_GIT) == ""
    shutil.rmtree(clone / ".azure")
    tracked = succeed(("git", "ls-files"), clone, **_GIT).splitlines()
    assert f"tools/{wheel.name}" in tracked
    assert len(tracked) <= 130

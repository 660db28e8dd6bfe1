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
    cloned = succeed(("git", "rev-parse", "HEAD~1"), clone, **_GIT).strip()
    delivered = succeed(("git", "show", f"{cloned}:host.json"), clone, **_GIT)
    script = re.findall(r"```\n(.*?)```", section, re.DOTALL)[0].replace("COMMIT", cloned)
    # `make` does all but build the wheel and the environment for it: they are of no interest here.
    wheel = tmp_path / f"entra_selftest-{__version__}-py3-none-any.whl"
    wheel.write_bytes(packed({f"entra_selftest-{__version__}.dist-info/METADATA": b""}))
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    programs = {
        "make": f"{shutil.which('make')} -o wheel VENV_WHEEL={tmp_path} BUILT={wheel}",
        "python": f"{ROOT}/.venv/bin/python",
    }
    for name, words in programs.items():
        (bin_ / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (bin_ / name).chmod(0o755)
    done = run(("sh", "-ec", script), clone, **_GIT, **_AUTHOR, PATH=f"{bin_}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0, done.stdout
    changed = re.findall(r"^ (\S+) +\| ", done.stdout, re.MULTILINE)
    assert changed == ["claims/providers/contoso_hr.py", "host.json"], done.stdout
    assert (clone / "host.json").read_text() == delivered
    assert not (tmp_path / "unchanged").exists()
    assert (clone / "claims/providers/contoso_hr.py").read_text() == "OURS = True\n"
    assert not (clone / "selftest").exists()
    assert (clone / ".azure/prod/.env").is_file()
    assert (clone / "tests/test_contoso_hr.py").is_file()
    assert succeed(("git", "status", "--short"), clone, **_GIT) == ""
    shutil.rmtree(clone / ".azure")
    tracked = succeed(("git", "ls-files"), clone, **_GIT).splitlines()
    assert f"tools/{wheel.name}" in tracked
    assert len(tracked) <= 130

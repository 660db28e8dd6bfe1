"""The lists of files that stay here: what our commands write is not committed, and no secret is published."""

import argparse
import importlib
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from infra.package import DEFAULT_OUT
from selftest.cli import COMMANDS, main
from selftest.load.measured.raw_file import RAW_NAME, RawFile
from selftest.report.stored import dump
from selftest.starter.comparison import NEW_SUFFIX
from tests.checkout import ROOT
from tests.infra.test_package_files import SECRETS
from tests.selftest.report.sample import check, results

type Repository = Callable[[str], Path]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return what makes an empty repository that ignores what a list of this one names."""

    def make(name: str) -> Path:
        git(tmp_path, "init", "-q")
        shutil.copyfile(ROOT / name, tmp_path / ".gitignore")
        return tmp_path

    return make


def git(repository: Path, *words: str) -> str:
    """Run git in a repository, whatever the user has configured."""
    command = ("git", "-c", "core.excludesFile=/dev/null", *words)
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


def not_ignored(repository: Path, names: Iterable[str]) -> set[str]:
    """Return the names that a commit of everything would take."""
    wanted = set(names)
    return wanted - set(git(repository, "check-ignore", "--no-index", *wanted).splitlines())


def default_paths() -> set[str]:
    """Return every path that a command writes to if its flags name none."""
    found = set()
    for name in COMMANDS:
        parser = argparse.ArgumentParser()
        module = {"new": "starter.new", "update": "starter.update"}.get(name, name.replace("-", "_"))
        importlib.import_module(f"selftest.commands.{module}").configure(parser)
        given = [*(action.default for action in parser._actions), *parser._defaults.values()]
        found |= {str(value) for value in given if isinstance(value, Path) and not value.is_absolute()}
    return found - {"."}


def test_what_commands_write_by_default_is_ignored(repository: Repository) -> None:
    """The folder of the reports, the certificate of the emulated Entra, the package, and what an update leaves."""
    defaults = default_paths()
    assert {"selftest-report", "emulated-entra-ca.pem"} <= defaults
    written = {f"{path}/" if not Path(path).suffix else path for path in defaults}
    written |= {DEFAULT_OUT.relative_to(ROOT).as_posix(), f"claims/providers/mine.py{NEW_SUFFIX}", "results.json.part"}
    assert not_ignored(repository(".gitignore"), written) == set()


def test_a_makefile_leaves_nothing_to_commit(repository: Repository) -> None:
    """Environments, wheels and caches; `make docs`, `make bicep` and `make compile` write what is committed."""
    made = {".venv/x", ".venv-bench/x", ".venv-host/x", "dist/x.whl", "claims/__pycache__/x.pyc", ".coverage"}
    made |= {".mypy_cache/x", ".ruff_cache/x", ".pytest_cache/x", ".hypothesis/x", "tests/kusto/node_modules/x"}
    assert not_ignored(repository(".gitignore"), made) == set()


def test_a_run_leaves_nothing_to_commit(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every form of the results and the raw file, written where a run writes them."""
    place = repository(".gitignore")
    monkeypatch.chdir(place)
    Path("selftest-report").mkdir()
    Path("selftest-report/results.json").write_text(dump(results(check("C01"))))
    assert main(["report", "selftest-report/results.json", "--out", "selftest-report"]) == 0
    RawFile(Path("selftest-report") / RAW_NAME).close()
    assert len(list(Path("selftest-report").iterdir())) == 5
    assert git(place, "status", "--porcelain", "--untracked-files=all").splitlines() == ["?? .gitignore"]


def test_microsofts_own_tools_leave_secrets_behind(repository: Repository) -> None:
    """`func azure functionapp publish` takes everything that .funcignore does not name."""
    names = {f"claims/{name.lower()}" for name in SECRETS}
    assert not_ignored(repository(".funcignore"), names) == set()

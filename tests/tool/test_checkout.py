"""The tool in a checkout: the same program, and a way on where there is no environment."""

import subprocess
import sys

import pytest

from selftest import __main__ as program
from selftest.cli import COMMANDS, main, parser
from tests.checkout import ROOT


def test_bare_python_is_told_what_to_type() -> None:
    """Without site-packages there is a sentence in place of a traceback."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-m", "selftest", "entra"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "is missing here: type make .venv, then .venv/bin/python -m selftest" in done.stderr


def test_older_python_is_told_which_one_is_needed() -> None:
    """The check of the version comes before anything that an older one cannot read."""
    source = (ROOT / "selftest" / "__main__.py").read_text()
    compile(source, "__main__.py", "exec", flags=0, dont_inherit=True)
    old = f"import sys; sys.version_info = (3, 9, 1); exec(compile({source!r}, 'x', 'exec'))"
    done = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 2
    assert done.stderr.startswith("selftest needs Python 3.13 or newer; this is 3.9.\n")
    assert "make .venv" in done.stderr


def test_module_and_script_are_the_same_program() -> None:
    """The console script calls what ``python -m selftest`` calls, under the name it was called by."""
    assert program.main is main
    assert parser().prog == "python -m selftest"


def test_fault_of_the_tool_is_not_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the tool that is not there is a fault to see whole."""
    monkeypatch.setattr("selftest.cli.COMMANDS", {**COMMANDS, "lost": "a command without a module"})
    with pytest.raises(ModuleNotFoundError):
        main(["lost"])

"""The name by which texts call the tool: what a reader can type where they are."""

from pathlib import Path

import pytest

from selftest.base.program import MANIFEST, PROGRAM, command_line, program


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with the tool in its environment, as the working directory; another tool is on the PATH."""
    for folder in ("copy/.venv/bin", "anywhere/bin"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "entra-selftest").touch(mode=0o755)
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("PATH", str(tmp_path / "anywhere/bin"))
    return tmp_path / "copy"


@pytest.mark.parametrize("on_path", ["anywhere/bin", "empty"])
def test_copy_has_its_own(copy: Path, monkeypatch: pytest.MonkeyPatch, on_path: str) -> None:
    """Typed or started by an absolute path, as tests/local.py does, whatever else is installed."""
    monkeypatch.setenv("PATH", str(copy.parent / on_path))
    assert program(".venv/bin/entra-selftest") == ".venv/bin/entra-selftest"
    assert program(str(copy / ".venv/bin/entra-selftest")) == ".venv/bin/entra-selftest"


def test_activated_environment_and_installed_tool(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name alone is enough."""
    assert program(str(copy.parent / "anywhere/bin/entra-selftest")) == "entra-selftest"
    monkeypatch.setenv("PATH", str(copy / ".venv/bin"), prepend=":")
    assert program(str(copy / ".venv/bin/entra-selftest")) == "entra-selftest"


def test_checkout(copy: Path) -> None:
    """The module, whose file is what runs."""
    assert program(str(copy / "selftest/__main__.py")) == "python -m selftest"


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("check C07 C09 --app DIR", ".venv/bin/python -m tests.local check C07 C09"),
        ("signin", ".venv/bin/python -m tests.local signin"),
        ("check C07 --url URL", f"{PROGRAM} check C07 --url URL"),
        ("explain 1003005", f"{PROGRAM} explain 1003005"),
    ],
)
def test_commands_in_a_copy_use_its_provider(copy: Path, command: str, typed: str) -> None:
    """What starts the app goes through the copy's own module; anywhere else nothing changes."""
    assert command_line(command) == f"{PROGRAM} {command}"
    (copy / MANIFEST).touch()
    (copy / "tests").mkdir()
    (copy / "tests/local.py").touch()
    assert command_line(command) == typed

"""Where the tool keeps its files, and how it writes them."""

import sys
from pathlib import Path

import pytest

from selftest.entra.state_folder import state_folder, write_private


def test_folder_of_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each platform has its place, and XDG_STATE_HOME goes before it unless it is relative."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "/x/state")
    assert state_folder() == Path("/x/state/entra-selftest")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setattr(sys, "platform", "linux")
    assert state_folder() == tmp_path / ".local/state/entra-selftest"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert state_folder() == tmp_path / "Library/Application Support/entra-selftest"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert state_folder() == tmp_path / "local/entra-selftest"


def test_tests_do_not_use_the_folder_of_the_user() -> None:
    """No test, and no process that one starts, touches the state of whoever runs the tests."""
    assert not state_folder().is_relative_to(Path.home() / ".local")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old text stays as a whole, and nothing else is left behind."""
    path = tmp_path / "a"
    write_private(path, "old")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_private(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_kept_if_asked_for(tmp_path: Path) -> None:
    """Of two writers the first wins."""
    path = tmp_path / "deep" / "a"
    assert write_private(path, "first", keep_existing=True)
    assert not write_private(path, "second", keep_existing=True)
    assert path.read_text() == "first"
    assert write_private(path, "third")
    assert path.read_text() == "third"

"""The log of an endpoint that runs elsewhere is read from a file, from the beginning of the run on."""

from pathlib import Path

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.play import log_file
from selftest.play.app_log import last_refusal
from selftest.play.log_file import LogFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a log that has a line of an earlier run."""
    path = tmp_path / "endpoint.log"
    path.write_bytes(b"an earlier run\n")
    return path


def _append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_lines_of_this_run_are_read(path: Path) -> None:
    """A line counts once it is whole, and bytes that are no UTF-8 do no harm."""
    log = LogFile(path)
    assert list(log.lines()) == []
    _append(path, b"one\ntw")
    assert list(log.lines()) == ["one"]
    _append(path, b"o\n\xff\n")
    assert list(log.lines()) == ["one", "two", "\ufffd"]
    path.unlink()
    assert list(log.lines()) == ["one", "two", "\ufffd"]


def test_a_refusal_of_this_minute_was_written_before_the_run(path: Path) -> None:
    """It has no correlation id and stands for the later ones; a line that has one is that of another sign-in."""
    old, mine = '{"status": 401, "outcome": "token_expired"}', '{"status": 401, "outcome": "audience_wrong"}'
    _append(path, f'{old}\n{{"status": 503, "outcome": "late", "correlationId": "a"}}\n'.encode())
    log = LogFile(path)
    assert list(log.lines()) == [old]
    assert [line.outcome for line in last_refusal(log.lines(), 401)] == ["token_expired"]
    _append(path, f"{mine}\n".encode())
    assert [line.outcome for line in last_refusal(log.lines(), 401)] == ["audience_wrong"]


def test_a_run_reads_only_so_much(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that writes without end does not fill the memory."""
    monkeypatch.setattr(log_file, "MAX_BYTES", 4)
    log = LogFile(path)
    _append(path, b"one\ntwo\n")
    assert list(log.lines()) == ["one"]
    assert list(log.lines()) == ["one"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that does not exist stops the run with its flag."""
    with pytest.raises(CannotRun, match=r"--app-log .*no\.log cannot be read"):
        LogFile(tmp_path / "no.log")


def test_an_emptied_file_is_read_from_its_start(path: Path) -> None:
    """An endpoint that is started again may write over its log; those lines are no silence."""
    log = LogFile(path)
    path.write_bytes(b"new\n")
    assert list(log.lines()) == ["new"]

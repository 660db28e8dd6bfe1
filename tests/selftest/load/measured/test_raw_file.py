"""The raw file: what was written gives the same results again, and what is broken is named by its line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftest.load.measured.collect import Collector, results_of
from selftest.load.measured.raw_file import MAX_LINE_BYTES, RawFile
from selftest.load.measured.results_file import read_results
from selftest.report.document import ReportError
from selftest.report.results import SCHEMA_VERSION
from selftest.report.stored import dump, parse
from tests.selftest.load.loads import attempt, call, raw_lines

CALLS = [call(number / 20, attempt()) for number in range(1200)]
LINES = raw_lines(CALLS)


def written(path: Path, lines: list[dict[str, Any]], *, cut: int = 0) -> Path:
    """Write a raw file, and cut so many bytes off its end."""
    file = RawFile(path)
    for line in lines:
        file.write(line)
    file.close()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - cut])
    return path


def test_a_file_gives_the_results_of_the_run(tmp_path: Path) -> None:
    """One function makes them both times; and they survive the results file, too."""
    live = results_of(LINES)
    again = read_results(written(tmp_path / "run.jsonl", LINES))
    assert again == live
    assert parse(dump(live).encode()) == live
    assert live.verdict.exit_code == 3  # a load without checks: nothing was held against it
    assert live.load is not None
    assert live.load.valid


def test_a_file_that_was_cut_off_is_an_interrupted_run(tmp_path: Path) -> None:
    """What it holds is kept, the half line at its end is left out, and the verdict says what is missing."""
    end = len(json.dumps(LINES[-1])) + 1 + len(json.dumps(LINES[-2])) + 1
    results = read_results(written(tmp_path / "run.jsonl", LINES, cut=end + 20))
    assert results.verdict.exit_code == 130
    assert "the raw file ends after 1,201 lines without its end line" in results.verdict.sentence
    assert results.load is not None
    assert results.load.counts.signins == 1199


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=100_000))
def test_wherever_it_is_cut_it_can_be_read_or_is_named(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """A power cut leaves a file that is read, or an error that says what it lacks."""
    path = tmp_path_factory.mktemp("cut") / "run.jsonl"
    try:
        results = read_results(written(path, raw_lines(CALLS[:300]), cut=cut))
    except ReportError as error:
        assert str(path) in str(error)
    else:
        assert results.verdict.exit_code in {3, 130}


@pytest.mark.parametrize(
    ("place", "line", "message"),
    [
        (0, {"kind": "call"}, "not JSON|first line should be of kind run"),
        (1, {"kind": "load", "config": {}}, r"line 2: .*is a required property"),
        (1, {"kind": "call", "due_s": 0.0, "attempts": []}, "line 2: .*before any line of kind load"),
        (2, {"kind": "call", "due_s": "x"}, "line 3: a line of kind call is invalid: due_s should be a number"),
        (2, {"kind": "check", "id": "T01"}, r"line 3: .*is a required property"),
        (2, {"kind": "memory", "at_s": 1, "resident_kb": -1}, "line 3: .*minimum"),
        (2, {"kind": "end"}, "line 3: a line of kind end is invalid: duration_s"),
        (0, {"kind": "run", "schema_version": "1.1"}, "schema_version is '1.1', this version reads"),
        (0, {"kind": "run", "schema_version": SCHEMA_VERSION, "tool": {"a": 1}}, "expected type string"),
        (0, {**LINES[0], "started_at": "yesterday"}, "started_at should be a time"),
        (0, {**LINES[0], "strict": 1}, "strict should be true or false"),
        (1, {**LINES[1], "confidence": 2}, "confidence should be between 0 and 1"),
        (1, {**LINES[1], "segments": []}, "line 2"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, place: int, line: dict[str, Any], message: str) -> None:
    """Which line, and what it should be."""
    lines = [*LINES[:place], line, *LINES[place + 1 : 5]]
    with pytest.raises(ReportError, match=message):
        read_results(written(tmp_path / "run.jsonl", lines))


@pytest.mark.parametrize(
    ("middle", "message"),
    [
        (b"{\n", "line 2 is not JSON"),
        (b"[]\n", "line 2 is not a JSON object"),
        (b"x" * (MAX_LINE_BYTES + 2), "line 2 is longer than"),
        (b'{"kind": NaN}\n', "line 2 is not JSON"),
        (b"\xff\n", "line 2 is not JSON"),
    ],
)
def test_what_is_no_line_is_named(tmp_path: Path, middle: bytes, message: str) -> None:
    """Broken in the middle is not cut off."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(json.dumps(LINES[0]).encode() + b"\n" + middle + json.dumps(LINES[1]).encode() + b"\n")
    with pytest.raises(ReportError, match=message):
        read_results(path)


def test_a_kind_that_is_not_known_is_passed_over() -> None:
    """A newer version may write more."""
    assert results_of([*LINES[:-1], {"kind": "weather", "rain": True}, LINES[-1]]) == results_of(LINES)


def test_a_load_that_is_played_again_counts_alone() -> None:
    """The last one is judged; cold starts are measured apart, and stay."""
    cold = {"kind": "cold_start", "listening_ms": 1.0, "indexed_ms": None, "answered_ms": 2.0, "minted": True}
    again = [LINES[0], LINES[1], cold, call(0.0, attempt(9000.0, "late", code=1003005)), *LINES[1:]]
    results = results_of(again)
    assert results.load is not None
    assert results.load.counts.first_calls_missed == 0
    assert len(results.load.cold_starts) == 1


def test_two_runs_at_once_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second is refused before it writes; after the end of the first the file is replaced."""
    path = tmp_path / "run.jsonl"
    first = RawFile(path)
    first.write(LINES[0])
    with pytest.raises(ReportError, match=r"another run is writing to .*--out"):
        RawFile(path)
    first.close()
    assert len(path.read_text().splitlines()) == 1
    RawFile(path).close()
    assert path.read_text() == ""


def test_nothing_is_no_file(tmp_path: Path) -> None:
    """A collector that was given nothing says so, and a directory that cannot be made is named."""
    with pytest.raises(ReportError, match="it is empty"):
        Collector().results()
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"cannot be written: (Not a directory|File exists)"):
        RawFile(tmp_path / "file" / "run.jsonl")


def test_lines_are_there_before_the_run_ends(tmp_path: Path) -> None:
    """After a second the disk has what came: a killed run keeps it."""
    now_s = [0.0]
    file = RawFile(tmp_path / "run.jsonl", clock=lambda: now_s[0])
    file.write(LINES[0])
    now_s[0] = 1.5
    file.write(LINES[1])
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 2
    file.close()

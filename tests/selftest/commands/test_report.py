"""The report command: the forms again from a file, two files compared, and a clear answer to a bad one."""

from pathlib import Path

import pytest

from selftest.cli import main
from selftest.report.results import SCHEMA_VERSION, Results
from selftest.report.stored import write_results
from tests.selftest.report.sample import check, results

HELD = results(check("C01"), check("T30"))
BROKEN = results(check("C01"), check("T30", "fail"))


def stored(directory: Path, name: str, run: Results) -> str:
    """Write a results file."""
    write_results(directory / name, run)
    return str(directory / name)


@pytest.mark.parametrize(("run", "exit_code"), [(HELD, 0), (BROKEN, 1)])
def test_a_report_is_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run: Results, exit_code: int
) -> None:
    """The page and the text come from the file, with the run's own exit code."""
    page = tmp_path / "page.html"
    assert main(["report", stored(tmp_path, "a.json", run), "--html", str(page)]) == exit_code
    assert "<!doctype html>" in page.read_text()
    assert capsys.readouterr().out.startswith(run.verdict.sentence)


@pytest.mark.parametrize(("a", "b", "exit_code"), [(HELD, BROKEN, 1), (BROKEN, HELD, 0), (BROKEN, BROKEN, 0)])
def test_two_files_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], a: Results, b: Results, exit_code: int
) -> None:
    """The exit code says whether the later run is worse, not whether it is good."""
    page = tmp_path / "page.html"
    files = [stored(tmp_path, "a.json", a), stored(tmp_path, "b.json", b)]
    assert main(["report", *files, "--html", str(page)]) == exit_code
    assert "two runs compared" in page.read_text()
    assert "WORSE  " in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize("place", [0, 1])
def test_a_bad_file_is_named_with_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str], place: int) -> None:
    """Whichever of the two it is, the message says which, where in it and what; exit code 2."""
    bad = tmp_path / "bad.json"
    bad.write_text((tmp_path / stored(tmp_path, "a.json", HELD)).read_text().replace('"pass"', '"fine"'))
    files = [stored(tmp_path, "a.json", HELD)]
    files.insert(place, str(bad))
    assert main(["report", *files]) == 2
    assert "bad.json: $.checks[0].status: 'fine' is not one of" in capsys.readouterr().err


def test_a_file_of_an_older_schema_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its levels mean something else; the message names both versions and what to do."""
    old = tmp_path / "old.json"
    old.write_text('{"schema_version": "1.1", "checks": []}')
    assert main(["report", str(old)]) == 2
    message = f"old.json: schema_version is '1.1', this version reads {SCHEMA_VERSION}; use the one that wrote it"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--json", "--junit", "--out"])
def test_a_comparison_has_no_forms_of_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    """What cannot be written is refused, not left out."""
    file = stored(tmp_path, "a.json", HELD)
    assert main(["report", file, file, flag, str(tmp_path / "x")]) == 2
    assert f"{flag} is of one run" in capsys.readouterr().err

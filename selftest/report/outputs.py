"""Write the results to the terminal and to the files that the flags name, for every command that has results."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console

from selftest.base.cannot_run import CannotRun
from selftest.report.compare import RunComparison
from selftest.report.compare_console import show_comparison
from selftest.report.console import show
from selftest.report.junit import junit, junit_could_not_run
from selftest.report.results import Results
from selftest.report.stored import ReportError, dump, write_results

_STDOUT = "-"
_RESULTS, _JUNIT, _PAGE, _TEXT = "results.json", "junit.xml", "report.html", "report.txt"


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name files."""
    group = parser.add_argument_group("output")
    group.add_argument("--json", metavar="FILE", help="write the results as JSON; - prints them instead of the report")
    group.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit XML")
    group.add_argument("--html", type=Path, metavar="FILE", help="write the report as one page of HTML")
    group.add_argument(
        "--out", type=Path, metavar="DIR", help="write results.json, junit.xml, report.html and report.txt there"
    )
    group.add_argument("--verbose", action="store_true", help="list the checks that passed as well")


@contextmanager
def files_of_this_run(args: argparse.Namespace, command: str) -> Iterator[None]:
    """Remove the files that an earlier run wrote, so that none is taken for a result of this one.

    If this run cannot be made, the JUnit file says why: CI systems show what they find there.

    Raises:
        ReportError: A file cannot be removed.
    """
    out: Path | None = args.out
    inside = [] if out is None else [out / name for name in (_RESULTS, _JUNIT, _PAGE, _TEXT)]
    named = [args.junit, args.html, None if args.json in {None, _STDOUT} else Path(args.json)]
    for path in filter(None, [*inside, *named]):
        # A link, as /dev/stdout is one, is written through and stays.
        if path.is_file() and not path.is_symlink():
            with _writing(path):
                path.unlink()
    try:
        yield
    except ReportError:
        raise
    except CannotRun as error:
        for path in filter(None, [args.junit, None if out is None or not out.is_dir() else out / _JUNIT]):
            with contextlib.suppress(OSError):
                path.write_text(junit_could_not_run(command, str(error)), encoding="utf-8")
        raise


def emit(results: Results, args: argparse.Namespace, stdout: TextIO | None = None) -> None:
    """Write the files, then print the report: a closed pipe loses no file.

    Raises:
        ReportError: A file cannot be written; the message names it.
    """
    stream = sys.stdout if stdout is None else stdout
    if args.out is not None:
        write_all(args.out, results)
    if args.junit is not None:
        _write(args.junit, junit(results))
    if args.html is not None:
        _write_html(args.html, results)
    if args.json is not None and args.json != _STDOUT:
        _write_results(Path(args.json), results)
    if args.json == _STDOUT:
        stream.write(dump(results))
    else:
        page = args.html if args.html is not None or args.out is None else args.out / _PAGE
        show(results, console_for(stream), verbose=args.verbose, page=page)


def emit_comparison(comparison: RunComparison, html: Path | None, stdout: TextIO | None = None) -> None:
    """Print a comparison, and write its page if a file is named.

    Raises:
        ReportError: The file cannot be written.
    """
    if html is not None:
        from selftest.report.html.comparison_page import comparison_page  # noqa: PLC0415 - see _write_html

        _write(html, comparison_page(comparison))
    show_comparison(comparison, console_for(sys.stdout if stdout is None else stdout))


def write_all(directory: Path, results: Results) -> None:
    """Write every form of the results into a directory, which is created if it is missing.

    Raises:
        ReportError: The directory cannot be created, or a file cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"{directory} cannot be made: {error.strerror}") from error
    _write_results(directory / _RESULTS, results)
    _write(directory / _JUNIT, junit(results))
    _write_html(directory / _PAGE, results)
    text = directory / _TEXT
    with _writing(text), text.open("w", encoding="utf-8") as file:
        show(results, Console(file=file, width=120, color_system=None, highlight=False), verbose=True)


def console_for(stream: TextIO) -> Console:
    """Return a console with the width of the terminal, or 120 columns without a terminal."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else 120
    return Console(file=stream, highlight=False, emoji=False, markup=False, width=width)


def _write_results(path: Path, results: Results) -> None:
    with _writing(path):
        write_results(path, results)


def _write_html(path: Path, results: Results) -> None:
    from selftest.report.html.page import page  # noqa: PLC0415 - slow to import, and rarely needed

    _write(path, page(results))


def _write(path: Path, text: str) -> None:
    with _writing(path):
        path.write_text(text, encoding="utf-8")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}") from error

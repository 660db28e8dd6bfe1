"""The outputs of the doctor: the terminal, JSON, JUnit and a directory."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final, TextIO

from rich.console import Console

from selftest.report.junit import junit
from selftest.report.outputs import console_for
from selftest.report.stored import ReportError, write_results
from selftest.tenant.doctor.examination import Examination
from selftest.tenant.doctor.flow import branches
from selftest.tenant.doctor.results import results_of
from selftest.tenant.doctor.text import show

_STDOUT: Final = "-"
_WIDTH: Final = 120


def emit(examined: Examination, args: argparse.Namespace, stdout: TextIO | None = None) -> None:
    """Write the files and print the report; the files first, so that a closed pipe loses none of them.

    Raises:
        ReportError: A file cannot be written; the message names it.
    """
    stream = sys.stdout if stdout is None else stdout
    results = results_of(
        examined.diagnosis, url=examined.url, started_at=examined.started_at, duration_s=examined.duration_s
    )
    try:
        if args.out is not None:
            args.out.mkdir(parents=True, exist_ok=True)
            write_results(args.out / "results.json", results)
            _write(args.out / "junit.xml", junit(results))
            with (args.out / "report.txt").open("w", encoding="utf-8") as file:
                _show(examined, Console(file=file, width=_WIDTH, color_system=None, highlight=False), verbose=True)
        if args.junit is not None:
            _write(args.junit, junit(results))
        if args.json is not None and args.json != _STDOUT:
            _write(Path(args.json), _json(examined))
    except (OSError, ValueError) as error:
        where = error.filename if isinstance(error, OSError) else "a path"
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise ReportError(f"{where} cannot be written: {reason}") from error
    if args.json == _STDOUT:
        stream.write(_json(examined))
    else:
        _show(examined, console_for(stream), verbose=args.verbose)


def as_json(examined: Examination) -> dict[str, Any]:
    """Return the findings by name: the form of ``doctor --json``, an interface."""
    diagnosis = examined.diagnosis
    return {
        "findings": [one.as_json(finding) for one, finding in diagnosis.faults],
        "hints": [one.as_json(finding) for one, finding in diagnosis.hints],
        "skipped": [
            {"check": one.statement.id, "title": one.statement.title, "reason": lack.reason}
            for one, lack in diagnosis.skipped
        ],
        "held": [one.statement.id for one in diagnosis.results if one.holds],
        "shows": [
            {"shows": branch.shows, "checks": list(branch.checks), "next": branch.next_command}
            for branch in branches(diagnosis, probed_url=examined.url)
        ],
        "about": list(examined.about),
        "verdict": {"outcome": diagnosis.verdict, "exit_code": diagnosis.exit_code, "sentence": diagnosis.sentence},
    }


def _json(examined: Examination) -> str:
    return json.dumps(as_json(examined), indent=2, ensure_ascii=False) + "\n"


def _show(examined: Examination, console: Console, *, verbose: bool) -> None:
    shown = branches(examined.diagnosis, probed_url=examined.url)
    show(examined.diagnosis, console, about=examined.about, branches=shown, verbose=verbose)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")

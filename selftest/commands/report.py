"""``report``: the reports of a run, made again from its results file; or two runs side by side."""

import argparse
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.load.measured.results_file import read_results
from selftest.report.compare import compare
from selftest.report.outputs import add_output_arguments, emit, emit_comparison

#: What only one run has a form for.
_OF_ONE_RUN: Final = ("json", "junit", "out")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Make reports from a results file; the exit code is that of the run. With a second file, compare: "
        "what changed from the first to the second, and what else differs that may explain it; the exit code is then "
        "1 when a check that counts passed in the first and fails in the second, else 0. "
        "In both cases 2: a file holds no results."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="written by --json or --out")
    parser.add_argument("other", type=Path, nargs="?", metavar="FILE2", help="a later run, to compare with the first")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Read the files, print and write the reports, and give the run's own exit code or the comparison's."""
    if args.other is not None:
        return _compare(args)
    results = read_results(args.file)
    emit(results, args)
    return results.verdict.exit_code


def _compare(args: argparse.Namespace) -> int:
    given = [f"--{name}" for name in _OF_ONE_RUN if getattr(args, name) is not None]
    if given:
        raise CannotRun(f"{', '.join(given)} is of one run; a comparison is printed, and written with --html")
    comparison = compare(read_results(args.file), read_results(args.other))
    emit_comparison(comparison, args.html)
    return comparison.exit_code

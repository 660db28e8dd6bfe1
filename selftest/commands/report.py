"""``report``: the reports of a run, made again from its results file."""

import argparse
import sys
from pathlib import Path
from typing import Final

from selftest.report.outputs import add_output_arguments, emit
from selftest.report.stored import ReportError, read_results

_COULD_NOT_READ: Final = 2


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "report",
        help="make the reports of a run again from its results file",
        description="Make reports from a results file. The exit code is that of the run; 2: the file holds no results.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="written by --json or --out")
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the file, print and write the reports, and give the run's own exit code."""
    try:
        results = read_results(args.file)
        emit(results, args)
    except ReportError as error:
        print(f"report: {error}", file=sys.stderr)
        return _COULD_NOT_READ
    return results.verdict.exit_code

"""``compare-callout``: where a captured request of the real Entra differs from the emulated one."""

import argparse
from pathlib import Path

from selftest.base.cannot_run import FAILED, PASSED, CannotRun
from selftest.play.callout_comparison import compare
from selftest.play.captured_request import read_request


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Say where a captured request of the real Entra differs from the emulated one, as a report to attach to an "
        "issue. The token is decoded, and every value is masked when the file is read."
    )
    parser.epilog = "exit codes: 0 alike, 1 they differ, 2 the file cannot be read"
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="the request as HTTP has it, as JSON with headers and body, or its body"
    )


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    comparison = compare(read_request(args.file))
    if not comparison.alike:
        raise CannotRun(
            f"{args.file} is not a captured callout: nothing in it is like the documented event; it should be the"
            " request as HTTP has it, JSON with headers and body, or the body"
        )
    print("\n".join(comparison.lines()))
    return FAILED if comparison.differences else PASSED

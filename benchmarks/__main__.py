"""``python -m benchmarks``: measure, print, and say what holds."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import handler


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one part. Exit code 0 when all that must hold holds, 1 when something does not, 2 for a wrong command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measurements that anybody can repeat.")
    parts = parser.add_subparsers(dest="part", required=True)
    handler_parser = parts.add_parser("handler", help="what the endpoint adds to an empty function, in one process")
    handler_parser.add_argument("--profile", action="store_true", help="print where the endpoint's time goes, too")
    args = parser.parse_args(arguments)
    result = handler.measure(profile=args.profile)
    print(result)
    return 0 if result.holds else 1


if __name__ == "__main__":
    sys.exit(main())

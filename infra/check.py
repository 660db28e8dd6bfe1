"""``python -m infra.check``: every Bicep file and what stands around them, without the compiler and without Azure.

With ``--parameters`` also this deployment's values, out of azd's environment: what the endpoint would refuse at its
start is refused before anything is deployed. azd's preprovision hook runs it so.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from claims.contract import MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from infra.checker import azd_file, published_types
from infra.checker.bicep import read
from infra.checker.preflight import preflight
from infra.checker.rules import MAIN, Outside, all_findings, bicep_files

ROOT: Final = Path(__file__).parents[1]
_FOUND: Final = 1
_COULD_NOT_RUN: Final = 2


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Check. Exit code 0; 1 when something is wrong; 2 when it could not run."""
    args = _parser().parse_args(arguments)
    root: Path = args.root.resolve()
    try:
        outside = _outside(root, args)
        findings = all_findings(root, outside)
        told = [finding.told(root) for finding in findings]
        if args.parameters and not findings:
            told += _before_deployment(root, args, os.environ if environ is None else environ)
    except (OSError, ValueError) as error:
        print(f"check: {error}", file=sys.stderr)
        return _COULD_NOT_RUN
    for line in told:
        print(line)
    if told:
        print(f"check: {len(told)} to mend", file=sys.stderr)
        return _FOUND
    print(f"check: {len(bicep_files(root))} Bicep files and what stands around them: nothing found")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.check", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--root", type=Path, default=ROOT, metavar="DIR", help="the checkout; default: this one")
    add(
        "--types",
        type=Path,
        metavar="FILE",
        help="published Bicep types; default: $BICEP_TYPES, or beside the checkout",
    )
    add("--azd-schema", type=Path, metavar="FILE", help="the schema of azure.yaml; default: $AZD_SCHEMA, or the same")
    add("--parameters", type=Path, metavar="FILE", help="judge this deployment's values too, from the environment")
    add("--pending", action="append", default=[], metavar="NAME", help="a parameter that a later step fills in")
    add("--timeout-ms", type=_timeout_ms, default=MAX_TIMEOUT_MS, metavar="N", help="the extension's timeout")
    return parser


def _timeout_ms(text: str) -> int:
    if not (text.isascii() and text.isdigit() and MIN_TIMEOUT_MS <= int(text) <= MAX_TIMEOUT_MS):
        raise argparse.ArgumentTypeError(f"expected {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS} milliseconds, got {text!r}")
    return int(text)


def _outside(root: Path, args: argparse.Namespace) -> Outside:
    for given in (args.types, args.azd_schema):
        if given is not None and not given.is_file():
            raise ValueError(f"there is no {given}")
    types = published_types.find_types(root, args.types)
    schema = azd_file.find_schema(root, args.azd_schema)
    for found, what, name in (
        (types, "resources against Azure's types", published_types.ENVIRONMENT_VARIABLE),
        (schema, "azure.yaml against azd's schema", azd_file.ENVIRONMENT_VARIABLE),
    ):
        if found is None:
            print(f"check: skipped: {what} (no file; {name} names one)", file=sys.stderr)
    return Outside(published_types.load_types(types) if types else None, schema)


def _before_deployment(root: Path, args: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[str]:
    result = preflight(
        read(root / MAIN), args.parameters, environ, pending=frozenset(args.pending), timeout_ms=args.timeout_ms
    )
    for warning in result.warnings:
        print(f"check: warning: {warning}", file=sys.stderr)
    for problem in result.problems:
        yield f"{args.parameters.name}: {problem}"


if __name__ == "__main__":
    sys.exit(main())

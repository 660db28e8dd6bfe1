"""``check``: the checks, against the local app or any endpoint in any language."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from selftest.checks import Check, UnknownCheckError, select
from selftest.checks.at_target import UnreachableError, await_keys_read, bench_of, require_answer, variants_of
from selftest.checks.token_rotation import publish_for_checks
from selftest.host.process import AppStartError
from selftest.report.outputs import add_output_arguments, emit
from selftest.report.stored import ReportError
from selftest.session import Session
from selftest.target import TargetError, add_target_arguments, open_target

_COULD_NOT_RUN: Final = 2
_MAX_TOKEN_FILE_BYTES: Final = 64 * 1024


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "check",
        help="run the checks by id or prefix",
        description="Run checks: C contract, T token, B body, F faults. Exit code 0: every must holds. "
        "1: a must fails. 2: they could not run. 3: nothing could be proved. 130: interrupted; what was found is kept.",
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="an id (C03) or the start of some (T, B4); default: all")
    add_target_arguments(parser)
    parser.add_argument("--list", action="store_true", help="name the checks instead of running them")
    parser.add_argument("--strict", action="store_true", help="a should that fails makes the run fail, too")
    parser.add_argument(
        "--deployed", action="store_true", help="with --url: the endpoint trusts the real Entra, not the emulated one"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="with --deployed: a token that the endpoint must accept"
    )
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the checks that the arguments name, and report."""
    try:
        checks = select(args.ids)
        if args.list:
            return _list(checks)
        real_token = _real_token(args)
        session = Session(args)
        session.run(_collect(args, checks, real_token, session))
        results = session.results()
        emit(results, args)
    except (UnknownCheckError, UsageError, UnreachableError, TargetError, AppStartError, ReportError) as error:
        print(f"check: {error}", file=sys.stderr)
        return _COULD_NOT_RUN
    return results.verdict.exit_code


class UsageError(ValueError):
    """Raised when flags contradict each other or a file is not what it has to be."""


async def _collect(args: argparse.Namespace, checks: Sequence[Check], real_token: str | None, session: Session) -> None:
    async with open_target(args, prepare=publish_for_checks) as target:
        session.reached(target)
        bench = bench_of(target, deployed=args.deployed, real_token=real_token)
        await require_answer(bench)
        await await_keys_read(bench)
        await session.run_checks(checks, bench, open_variant=variants_of(target))


def _real_token(args: argparse.Namespace) -> str | None:
    if args.deployed and args.url is None:
        raise UsageError("--deployed needs --url: it is about an endpoint that runs elsewhere")
    if args.deployed:
        # Nothing fetches from the emulated Entra then, so its port must not be in anybody's way.
        args.authority_port = 0
    if args.token_file is None:
        return None
    if not args.deployed:
        raise UsageError("--token-file needs --deployed: the emulated Entra signs tokens of its own")
    try:
        token = args.token_file.read_bytes()[: _MAX_TOKEN_FILE_BYTES + 1].strip()
    except OSError as error:
        raise UsageError(f"--token-file {args.token_file} cannot be read: {error.strerror}") from error
    if token.count(b".") != 2 or not token.isascii() or any(byte <= 32 for byte in token):
        raise UsageError(f"--token-file {args.token_file} holds no compact token (three segments, nothing else)")
    return str(token.decode())


def _list(checks: Sequence[Check]) -> int:
    for check in checks:
        needs = f"  [{', '.join(sorted(check.needs))}]" if check.needs else ""
        print(f"{check.id:<5} {check.level:<6} {check.title}{needs}")
    return 0

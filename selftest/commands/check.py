"""``check``: the checks, against the local app or any endpoint in any language."""

import argparse
import asyncio
import datetime as dt
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from selftest.checks import Check, UnknownCheckError, select
from selftest.checks.bench import Bench
from selftest.checks.runner import run_checks
from selftest.checks.token_rotation import publish_for_checks
from selftest.host.process import AppStartError
from selftest.report import provenance
from selftest.report.outputs import add_output_arguments, emit
from selftest.report.progress import Progress
from selftest.report.results import CheckResult, Results, decide
from selftest.report.stored import ReportError
from selftest.target import Target, TargetError, add_target_arguments, open_target

_COULD_NOT_RUN: Final = 2
#: An endpoint without keys tries again at most this far apart.
_READY_TIMEOUT_S: Final = 11.0
_READY_POLL_S: Final = 0.25
_MAX_TOKEN_FILE_BYTES: Final = 64 * 1024


class UnreachableError(Exception):
    """Raised when nothing answers at the endpoint's address; the message says what to look at."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "check",
        help="run the checks by id or prefix",
        description="Run checks: C contract, T token, B body. Exit code 0: every must holds. 1: a must fails. "
        "2: they could not run. 3: nothing could be proved. 130: interrupted; what was found is kept.",
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
        return _run(args, checks, real_token)
    except (UnknownCheckError, UsageError, UnreachableError, TargetError, AppStartError, ReportError) as error:
        print(f"check: {error}", file=sys.stderr)
        return _COULD_NOT_RUN


class UsageError(ValueError):
    """Raised when flags contradict each other or a file is not what it has to be."""


def _run(args: argparse.Namespace, checks: Sequence[Check], real_token: str | None) -> int:
    started_at = dt.datetime.now(dt.UTC)
    start_s = time.perf_counter()
    found: list[CheckResult] = []
    described: dict[str, str] = {}
    interrupted = False
    try:
        asyncio.run(_collect(args, checks, real_token, found, described))
    except KeyboardInterrupt:
        interrupted = True
    order = {check.id: check.order for check in checks}
    results = tuple(sorted(found, key=lambda result: order[result.id]))
    report = Results(
        tool=provenance.tool(),
        environment=provenance.environment(),
        target=described,
        started_at=started_at.isoformat(timespec="seconds"),
        duration_s=round(time.perf_counter() - start_s, 3),
        strict=args.strict,
        checks=results,
        verdict=decide(results, strict=args.strict, interrupted=interrupted),
    )
    emit(report, args)
    return report.verdict.exit_code


async def _collect(
    args: argparse.Namespace,
    checks: Sequence[Check],
    real_token: str | None,
    found: list[CheckResult],
    described: dict[str, str],
) -> None:
    """Run the checks into ``found``, which keeps what came when this is cancelled."""
    async with open_target(args, prepare=publish_for_checks) as target:
        described |= provenance.target(target.url, _mode(args))
        bench = bench_of(target, deployed=args.deployed, real_token=real_token)
        await require_answer(bench)
        with Progress(len(checks)) as progress:
            async for result in run_checks(checks, bench):
                found.append(result)
                progress.step(result.id)


def bench_of(target: Target, *, deployed: bool = False, real_token: str | None = None) -> Bench:
    """Say what checks may rely on at this target."""
    app = target.app
    return Bench(
        url=target.url,
        health_url=target.health_url,
        session=target.session,
        tenant=target.tenant,
        entra=target.entra,
        trusted=not deployed,
        real_token=real_token,
        log=None if app is None else lambda: app.logs,
        fresh=app is not None,
    )


async def require_answer(bench: Bench) -> None:
    """Wait until the endpoint answers otherwise than 503, which it does while its keys are not loaded.

    Raises:
        UnreachableError: Nothing answers at all.
    """
    deadline_s = time.monotonic() + _READY_TIMEOUT_S
    while True:
        answer = await bench.send(bench.good_request() if "token" in bench.have else bench.request())
        if answer.status is None:
            raise UnreachableError(
                f"{provenance.target(bench.url, '')['url']} gave {answer}; is the endpoint running, and is the address "
                "right? A sign-in would fail with 1003027: `explain 1003027`"
            )
        if answer.status != 503 or time.monotonic() > deadline_s:
            return
        await asyncio.sleep(_READY_POLL_S)


def _mode(args: argparse.Namespace) -> str:
    if args.url is None:
        return "the app of this checkout, emulated Entra"
    return "deployed, trusts the real Entra" if args.deployed else "any endpoint, emulated Entra"


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

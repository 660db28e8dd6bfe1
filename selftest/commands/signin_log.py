"""``signin-log``: what Entra logged about recent sign-ins, next to what the endpoint logged about them."""

import argparse
import asyncio
import datetime as dt
import json
import os
import re
import shlex
from dataclasses import replace
from typing import Final

from rich.console import Console
from rich.text import Text

from selftest.base.cannot_run import CannotRun
from selftest.base.flag_values import guid_value, timeout_in_ms, whole_number
from selftest.base.loopback import is_this_machine
from selftest.base.printable import visible
from selftest.contract import MAX_TIMEOUT_MS, is_guid
from selftest.judge.file_kinds import SIGN_IN_LOG, kind_of
from selftest.tenant.graph.address import PUBLIC_CLOUD
from selftest.tenant.graph.connection import open_graph
from selftest.tenant.graph.credentials import KINDS
from selftest.tenant.signin_log.endpoint_log import EndpointLog, read_log
from selftest.tenant.signin_log.event import SignInLog, read_events
from selftest.tenant.signin_log.live import PERMISSION, read_live
from selftest.tenant.signin_log.pairing import pair_up
from selftest.tenant.signin_log.read_text import InputError, read_text
from selftest.tenant.signin_log.report import SignInReport, make_report
from selftest.tenant.signin_log.report_forms import as_json, as_lines
from selftest.tenant.signin_log.selection import Selection, counted, newest_first, parse_span
from selftest.tenant.signin_log.tables import Table, read_table
from selftest.tenant.verdict import COLORS, EXIT_CODES

_DEFAULT_LIMIT: Final = 20
_DEFAULT_SPAN: Final = dt.timedelta(hours=24)
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_CODE: Final = re.compile(r"(?:AADSTS)?([0-9]{3,8})", re.IGNORECASE)
_EXAMPLES: Final = """\
where the files come from:
  Graph        GET /beta/auditLogs/signIns, with Prefer: include-unknown-enum-members
  the portal   Entra admin center > Sign-in logs > Download, as JSON (we know no Authentication Events in its CSV)
  a workspace  az monitor log-analytics query -w ID -o json --analytics-query "SigninLogs | take 1000"
  the app      its log stream, or the traces of Application Insights with their message column, as CSV or JSON

exit code: 0 no event failed, 1 some did, 2 a file or Graph could not be read, 3 there was nothing to judge"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Read what Entra logged about sign-ins and what the endpoint logged about them, and say what both\n"
        "mean together. User names, mail and IP addresses of the input are not read and never shown."
    )
    parser.epilog = _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_sources(parser)
    _add_filters(parser)
    parser.add_argument(
        "--timeout-ms",
        type=timeout_in_ms,
        default=MAX_TIMEOUT_MS,
        metavar="MS",
        help="what the extension's timeoutInMilliseconds is set to (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_sources(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--file", metavar="FILE", help="an exported sign-in log; - reads standard input")
    source.add_argument("--tenant", metavar="TENANT", help="read Microsoft Graph for this tenant, an id or a domain")
    parser.add_argument("--log", metavar="FILE", help="the app's log, or an export that holds it")
    live = parser.add_argument_group("with --tenant")
    live.add_argument(
        "--credential",
        choices=KINDS,
        default="azure-cli",
        help=f"how to sign in; {PERMISSION} is needed (default: %(default)s)",
    )
    live.add_argument(
        "--graph-url",
        default=PUBLIC_CLOUD,
        metavar="URL",
        help="another cloud's Graph, or an emulated one on this machine (default: %(default)s)",
    )


def _add_filters(parser: argparse.ArgumentParser) -> None:
    chosen = parser.add_argument_group("which events")
    chosen.add_argument("--since", type=_span, metavar="SPAN", help="the last 90m, 24h, 7d (with --tenant: 24h)")
    chosen.add_argument("--app", metavar="APP_ID", help="an application's client id, or the start of its name")
    chosen.add_argument("--code", type=_code, metavar="CODE", help="1003005, AADSTS1100001")
    chosen.add_argument("--correlation-id", type=guid_value, metavar="GUID", help="one sign-in")
    chosen.add_argument("--failed", action="store_true", help="failed events only")
    chosen.add_argument(
        "--limit",
        type=whole_number(0, 999_999),
        default=_DEFAULT_LIMIT,
        metavar="N",
        help="how many are shown (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Read, pair, judge and print."""
    if args.log == "-" == args.file:
        raise CannotRun("standard input can be one of the two files, not both")
    now = dt.datetime.now(dt.UTC)
    try:
        endpoint = None if args.log is None else _from_log(args.log)
        if args.tenant:
            table = asyncio.run(_from_graph(args, now))
            log = read_events(table.rows, "Microsoft Graph")
        else:
            table, log = _from_file(args.file)
    except ValueError as error:
        raise CannotRun(str(error)) from error
    report = _report(args, log, endpoint, now=now, more=table.more)
    if args.json:
        print(json.dumps(as_json(report), indent=2))
    else:
        _print(report)
    return EXIT_CODES[report.result]


def _from_log(path: str) -> EndpointLog:
    text = read_text(path)
    try:
        return read_log(text, path)
    except InputError as error:
        if (kind := kind_of(text)) is not None and kind.name == SIGN_IN_LOG:
            raise InputError(path, f"not a log of the app; it looks like {kind}") from error
        raise


def _from_file(path: str) -> tuple[Table, SignInLog]:
    text = read_text(path)
    try:
        table = read_table(text, path)
        return table, read_events(table.rows, path)
    except InputError as error:
        kind = kind_of(text)
        if _is_log(text):
            raise InputError(path, "not a sign-in log; it looks like a log of the app: give that as --log") from error
        if kind is not None and kind.name != SIGN_IN_LOG:
            raise InputError(path, f"not a sign-in log; it looks like {kind}") from error
        raise


def _is_log(text: str) -> bool:
    try:
        read_log(text, "")
    except InputError:
        return False
    return True


def _report(
    args: argparse.Namespace, log: SignInLog, endpoint: EndpointLog | None, *, now: dt.datetime, more: bool
) -> SignInReport:
    selection = Selection(
        since=None if args.since is None else now - args.since,
        app=args.app,
        code=args.code,
        correlation_id=args.correlation_id,
        failed=args.failed,
    )
    # Lines are matched before anything is left out, or a refusal could be given to another event than its own.
    pairs = pair_up(newest_first(log.events), endpoint)
    wanted = tuple(pair for pair in pairs.pairs if selection.wants(pair.event))
    notes = []
    if more:
        notes.append("the file is one page of several: its @odata.nextLink leads on")
    if (left := len(log.events) - len(wanted)) > 0:
        notes.append(f"the filters leave out {left} of {counted(len(log.events), 'event')}")
    return make_report(
        replace(pairs, pairs=wanted, from_graph=bool(args.tenant)),
        limit=args.limit,
        log=log,
        timeout_ms=args.timeout_ms,
        notes=notes,
        values=_known_values(args),
    )


def _known_values(args: argparse.Namespace) -> dict[str, str]:
    """Return what the flags say of the values that commands need, as a shell reads it."""
    known = {"TENANT": args.tenant} if is_guid(args.tenant or "") else {}
    return known | ({"FILE": shlex.quote(args.file)} if args.file not in {None, "-"} else {})


async def _from_graph(args: argparse.Namespace, now: dt.datetime) -> Table:
    opened = open_graph(
        os.environ,
        # An emulated Graph on this machine gets an emulated token, never a real one.
        credential=None if is_this_machine(args.graph_url) else args.credential,
        tenant_id=args.tenant,
        base_url=args.graph_url,
        permissions=(PERMISSION,),
    )
    async with opened as client:
        return await read_live(
            client,
            since=now - (args.since or _DEFAULT_SPAN),
            app_id=args.app if args.app and _GUID.fullmatch(args.app) else None,
            correlation_id=args.correlation_id,
        )


def _print(report: SignInReport) -> None:
    console = Console(highlight=False, soft_wrap=True)
    *lines, verdict = as_lines(report)
    for line in lines:
        console.print(Text(visible(line), style="yellow" if line.startswith("note ") else ""))
    console.print(Text(visible(verdict), style=f"bold {COLORS[report.result]}"))


def _span(text: str) -> dt.timedelta:
    try:
        return parse_span(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _code(text: str) -> int:
    found = _CODE.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a code such as 1003005 or AADSTS1100001, got {text[:20]!r}")
    return int(found[1])

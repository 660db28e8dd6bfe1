"""``token``: the documented direct test: get a token, compare it with the settings, and call the endpoint with it."""

import argparse
import asyncio
import json
import os
import secrets
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from selftest.base.bounded_file import decoded
from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import CALLOUT_PATH, endpoint_url
from selftest.base.flag_values import guid_value
from selftest.base.program import PROGRAM
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.contract import MAX_TIMEOUT_MS
from selftest.entra.payloads import VARIETIES
from selftest.judge.verdict import Verdict, judge
from selftest.play.caller import Call, Caller, caller_session
from selftest.tenant.direct_call.comparison import ComparedClaim, compare
from selftest.tenant.direct_call.expectations import Expectations, expectations, find_settings
from selftest.tenant.direct_call.published import read_published
from selftest.tenant.direct_call.text import as_json, as_lines, call_lines
from selftest.tenant.direct_call.token_request import DirectTokenRequest, TokenMethod, get_token
from selftest.tenant.direct_call.token_text import MAX_TOKEN_BYTES, DecodedToken, decode
from selftest.tenant.direct_call.verdict import conclude
from selftest.tenant.verdict import COLORS, EXIT_CODES

_SECRET_NAME: Final = "CLIENT_SECRET"  # noqa: S105 - where it is, not what it is
#: Where Core Tools serve the function app.
_DEFAULT_URL: Final = f"http://127.0.0.1:7071{CALLOUT_PATH}"
_EXAMPLES: Final = f"""\
try it without a tenant, in two terminals:
  {PROGRAM} entra
  {PROGRAM} token

with a tenant, the settings in the environment or in local.settings.json:
  CLIENT_SECRET=... {PROGRAM} token
  {PROGRAM} token --secret-file secret.txt --call https://your-app.azurewebsites.net

The secret is never an argument, and the token is never printed.
exit code: 0 as expected, 1 something differs or is wrongly accepted, 2 no token, or usage, 3 keys could not be read"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Get the client-credentials token of the documented direct test, compare each claim with what the\n"
        "endpoint expects, and call the endpoint with it."
    )
    parser.epilog = _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    # Otherwise --secret is short for --secret-file, and what follows it is a secret in the process list.
    parser.allow_abbrev = False
    _add_expectation_arguments(parser)
    _add_token_arguments(parser)
    parser.add_argument(
        "--call",
        nargs="?",
        const=_DEFAULT_URL,
        type=endpoint_url,
        metavar="URL",
        help=f"call the endpoint with the token and a documented event (without URL: {_DEFAULT_URL})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Get, compare, call and print."""
    settings, origin = find_settings(args.settings, os.environ)
    expected = expectations(
        settings,
        origin,
        authority_url=args.authority_url,
        audience=args.audience,
        application_id_uri=args.application_id_uri,
    )
    return asyncio.run(_run(args, expected))


async def _run(args: argparse.Namespace, expected: Expectations) -> int:
    token, source = await _token(args, expected)
    if args.out_token is not None:
        _keep(args.out_token, token.token)
    published = await read_published(expected.authority_urls, token.text("ver") or "2.0")
    rows = compare(token, expected, published, time.time())
    call = verdict = None
    if args.call is not None:
        call = await _call(args.call, token, expected)
        verdict = judge(call.reply)
    conclusion = conclude(rows, call, verdict)
    if args.json:
        print(json.dumps(as_json(expected, source, rows, conclusion, call=call, verdict=verdict), indent=2))
    else:
        _print(expected, source, rows)
        _print_call(args.call, call, verdict)
        Console(highlight=False, soft_wrap=True).print(
            Text(f"\n{conclusion.result}  {conclusion.says}", style=f"bold {COLORS[conclusion.result]}")
        )
    return EXIT_CODES[conclusion.result]


async def _token(args: argparse.Namespace, expected: Expectations) -> tuple[DecodedToken, str]:
    if args.token_file is not None:
        return decode(_read(args.token_file, "--token-file")), str(args.token_file)
    client_id = args.client_id or expected.audience_app_id
    kind: TokenMethod = "certificate" if args.certificate is not None else args.credential
    request = DirectTokenRequest(
        expected=expected,
        client_id=client_id,
        method=kind,
        secret=_secret(args, expected) if kind == "secret" else None,
        certificate=args.certificate,
    )
    return decode(await get_token(request)), f"for {request.scope}, as {client_id}, from {request.url}"


async def _call(url: str, token: DecodedToken, expected: Expectations) -> Call:
    tenant = replace(
        DEFAULT_TENANT,
        tenant_id=expected.tenant_id,
        audience_app_id=expected.audience_app_id,
        extension_id=expected.extension_id,
    )
    event = VARIETIES[0].build(tenant, str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)))
    async with caller_session() as session:
        return await Caller(session).call(url, token=token.token, event=event, timeout_ms=MAX_TIMEOUT_MS)


def _secret(args: argparse.Namespace, expected: Expectations) -> str:
    if args.secret_file is not None:
        secret = decoded(_read(args.secret_file, "--secret-file"), errors="replace").strip()
    else:
        secret = os.environ.get(_SECRET_NAME, "")
    if not secret and expected.emulated:
        return DEFAULT_TENANT.client_secret
    if not secret:
        raise CannotRun(f"a secret is needed: set {_SECRET_NAME}, or give --secret-file, --certificate or --credential")
    return secret


def _read(path: Path, flag: str) -> bytes:
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(MAX_TOKEN_BYTES * 2)
        with path.open("rb") as stream:
            return stream.read(MAX_TOKEN_BYTES * 2)
    except (OSError, ValueError) as error:
        raise CannotRun(f"{flag} {str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _keep(path: Path, token: str) -> None:
    """Write the token to a file that its owner alone may read, also where the file was there before."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.write(token + "\n")
    except (OSError, ValueError) as error:
        raise CannotRun(f"--out-token {str(path)!r} cannot be written: {error}") from error


def _print(expected: Expectations, source: str, rows: Sequence[ComparedClaim]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in as_lines(expected, source, rows):
        console.print(Text(line, style="red" if line.startswith("  DIFFERS") else ""))


def _print_call(url: str, call: Call | None, verdict: Verdict | None) -> None:
    if call is None or verdict is None:
        return
    console = Console(highlight=False, soft_wrap=True)
    for line in call_lines(url, call, verdict, timeout_ms=MAX_TIMEOUT_MS):
        console.print(Text(line))


def _add_expectation_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the endpoint expects (default: its settings, else the emulated Entra's)")
    group.add_argument("--settings", type=Path, metavar="FILE", help="a local.settings.json (default: the one here)")
    group.add_argument("--authority-url", metavar="URL", help="https://<host>/<tenantId>")
    group.add_argument("--audience", metavar="GUID", help="the client id of the API's app registration")
    group.add_argument("--application-id-uri", metavar="URI", help="its identifier URI: the scope is URI/.default")


def _add_token_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(f"the token (default: with the secret in {_SECRET_NAME})")
    group.add_argument("--client-id", type=guid_value, metavar="GUID", help="who asks (default: the API's own app)")
    given = group.add_mutually_exclusive_group()
    given.add_argument("--secret-file", type=Path, metavar="FILE", help="the secret; - reads standard input")
    given.add_argument("--certificate", type=Path, metavar="FILE", help="a PEM file with certificate and key")
    given.add_argument("--token-file", type=Path, metavar="FILE", help="a token that you have; - reads standard input")
    given.add_argument(
        "--credential",
        choices=("secret", "azure-cli", "managed-identity", "workload-identity"),
        default="secret",
        help="another way to a token, through azure-identity",
    )
    group.add_argument(
        "--out-token", type=Path, metavar="FILE", help="keep the token in a file that you alone can read"
    )

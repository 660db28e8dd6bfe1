"""``signin``: one sign-in whole, against the local app or any endpoint."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from selftest.base.cannot_run import FAILED, PASSED
from selftest.base.flag_values import timeout_in_ms
from selftest.base.printable import visible
from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.entra.payloads import VARIETIES, variety
from selftest.judge.claims_file import add_to_claims_file
from selftest.play.app_warnings import app_warnings
from selftest.play.sign_in import SignIn, sign_in
from selftest.play.sign_in_text import as_json, as_lines, verdict_line
from selftest.play.target import Target, add_target_arguments, open_target
from selftest.signin.tenant.mapping_flags import ClaimsRoute, add_mapping_arguments, read_route

#: How long a library may take to read the keys in the background and to use them.
_TAKE_UP_S: Final = 1.5

_NEW_KEYS: Final = (
    "the keys are new, and the endpoint has not read them: a library pauses before it looks for unknown keys "
    "again, from 30 s (jose) to five minutes (.NET); restart the endpoint, or sign in again without --new-keys after "
    "that time"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = "Run one sign-in. Exit code 0: the user would get a token. 1: none. 2: it could not be run."
    add_target_arguments(parser)
    parser.add_argument(
        "--user",
        choices=[known.id for known in VARIETIES],
        default=VARIETIES[0].id,
        metavar="VARIETY",
        help=f"{', '.join(known.id for known in VARIETIES)} (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout-ms",
        type=timeout_in_ms,
        default=MAX_TIMEOUT_MS,
        metavar="MS",
        help=f"how long Entra waits for one attempt, {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS} (default: %(default)s)",
    )
    parser.add_argument(
        "--retries",
        type=int,
        choices=range(MAX_RETRIES + 1),
        default=MAX_RETRIES,
        help="attempts after the first one (default: %(default)s)",
    )
    group = add_mapping_arguments(parser, saml=False)
    group.add_argument(
        "--claims-out",
        type=Path,
        metavar="FILE",
        help="add the names of the returned claims, never values, to this file, for objects --claims-from",
    )
    parser.add_argument(
        "--warm-up", action="store_true", help="wait until the endpoint answers before the sign-in that counts"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Play the sign-in and print it."""
    return asyncio.run(_play(args, read_route(args, saml=variety(args.user).protocol == "SAML")))


async def _play(args: argparse.Namespace, route: ClaimsRoute) -> int:
    if args.url is None and sys.stderr.isatty():
        print("starting the app ...", file=sys.stderr)
    async with open_target(args) as target:
        if args.warm_up:
            await _warm_up(target)
        play = partial(
            sign_in,
            target.caller,
            target.url,
            target.entra.mint,
            target.tenant,
            variety(args.user),
            timeout_ms=args.timeout_ms,
            max_retries=args.retries,
            mapping=route.mapping,
            registered=route.registered,
            log=target.log,
        )
        before = 0 if target.log is None else len(target.log())
        played = await _with_app_warnings(await play(), target, before)
        if target.app is None and _refused(played) and await _keys_are_read(target):
            print(
                "the endpoint read the keys only after it refused the first call; this is a second one", file=sys.stderr
            )
            played = await play()
        if target.app is None and _refused(played):
            older = await play(callout_token=target.entra.mint.callout_token("1.0"))
            if not _refused(older) and _refused(await play()):  # and it was not merely the first call that is refused
                print("the endpoint takes tokens of version 1.0 alone: this is a call with one", file=sys.stderr)
                played = older
        if args.claims_out is not None and played.verdict.claims is not None:  # before what a reader may cut off
            print(add_to_claims_file(args.claims_out, played.verdict.claims), file=sys.stderr)
        if args.json:
            print(
                json.dumps(as_json(played, target.url, timeout_ms=args.timeout_ms, provider=target.provider), indent=2)
            )
        else:
            _print(played, target, args.timeout_ms)
        if target.app is None and played.call.attempts[-1].status not in {None, 200}:
            _diagnose(played, target)
            if _refused(played) and target.entra.store.replaced and not target.entra.keys_read:
                print(_NEW_KEYS, file=sys.stderr)
    return PASSED if played.verdict.minted else FAILED


async def _with_app_warnings(played: SignIn, target: Target, before: int) -> SignIn:
    """Return the sign-in with what the log warns of, where its verdict does not show the log anyway."""
    if target.log is None or not played.verdict.minted or len(played.call.attempts) > 1:
        return played
    correlation_id = played.event["data"]["authenticationContext"]["correlationId"]
    found = await app_warnings(target.log, correlation_id, before=before)
    return replace(played, verdict=replace(played.verdict, warnings=(*played.verdict.warnings, *found)))


def _refused(played: SignIn) -> bool:
    return played.call.attempts[-1].status in {401, 403}


async def _keys_are_read(target: Target) -> bool:
    """Whether the endpoint has read this run's keys, which a library does in the background while it refuses a call."""
    target.fetches.expect_forced(target.url)
    await asyncio.sleep(_TAKE_UP_S)
    if target.entra.keys_read:
        target.fetches.note(target.entra.authority_url)
    return target.entra.keys_read > 0


async def _warm_up(target: Target) -> None:
    from selftest.checks.bench.target_environment import environment_of, require_answer  # noqa: PLC0415 (loads every check)

    await require_answer(environment_of(target))


def _print(played: SignIn, target: Target, timeout_ms: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    verdict = verdict_line(played)
    tone = "bold red" if not played.verdict.minted else "bold yellow" if verdict.startswith("WARN") else "bold green"
    for line in as_lines(played, target.url, timeout_ms=timeout_ms, answered_by=target.answered_by):
        style = tone if line == verdict else "yellow" if line.startswith("warning ") else ""
        console.print(Text(line, style=style))


def _diagnose(played: SignIn, target: Target) -> None:
    """Print on stderr what `check` would say about this refusal of an endpoint that runs elsewhere."""
    from selftest.checks.bench.probe import RawRequest, RawResponse  # noqa: PLC0415 (loads every check)
    from selftest.checks.good_call import diagnosis  # noqa: PLC0415 (as above)

    last = played.call.attempts[-1]
    response = RawResponse(request=RawRequest(url=target.url), status=last.status, headers=last.headers)
    says, fix = diagnosis(response, target.entra)
    print(visible(f"actual {says}\nfix    {fix}"), file=sys.stderr)

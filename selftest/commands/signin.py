"""``signin``: one sign-in whole, against the local app or any endpoint."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from selftest.base.flag_values import timeout_in_ms
from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.entra.payloads import VARIETIES, variety
from selftest.host.process import AppStartError
from selftest.judge.mapping import MappingError, MappingPolicy
from selftest.play.sign_in import SignIn, sign_in
from selftest.play.sign_in_text import as_json, as_lines
from selftest.play.target import TargetError, add_target_arguments, endpoint_settings, open_target

_MINTED: Final = 0
_NOT_MINTED: Final = 1
_COULD_NOT_RUN: Final = 2


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "signin",
        help="play one sign-in: what Entra sends, what comes back, what it makes of it",
        description="Play one sign-in. Exit code 0: a token would be minted. 1: none. 2: it could not be played.",
    )
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
    parser.add_argument("--mapping", type=Path, metavar="FILE", help="the app's claims mapping policy, as Graph has it")
    parser.add_argument(
        "--registered", type=_names, metavar="NAMES", help="claimsForTokenConfiguration: names with commas between"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play the sign-in and print it."""
    try:
        mapping = None if args.mapping is None else MappingPolicy.parse(args.mapping.read_bytes())
    except OSError as error:
        return _refuse(f"--mapping {args.mapping} cannot be read: {error.strerror}")
    except MappingError as error:
        return _refuse(f"--mapping {args.mapping} is no claims mapping policy: {error}")
    try:
        return asyncio.run(_play(args, mapping))
    except (TargetError, AppStartError) as error:
        return _refuse(str(error))


async def _play(args: argparse.Namespace, mapping: MappingPolicy | None) -> int:
    if args.url is None and sys.stderr.isatty():
        print("starting the app ...", file=sys.stderr)
    async with open_target(args) as target:
        played = await sign_in(
            target.caller,
            target.url,
            target.entra.mint,
            target.tenant,
            variety(args.user),
            timeout_ms=args.timeout_ms,
            max_retries=args.retries,
            mapping=mapping,
            registered=args.registered,
        )
        if args.json:
            print(json.dumps(as_json(played, target.url, timeout_ms=args.timeout_ms), indent=2))
        else:
            _print(played, target.url, args.timeout_ms)
        if target.app is None and played.call.attempts[-1].status in {401, 403}:
            _hint(endpoint_settings(target.entra))
    return _MINTED if played.verdict.minted else _NOT_MINTED


def _print(played: SignIn, url: str, timeout_ms: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    *lines, verdict = as_lines(played, url, timeout_ms=timeout_ms)
    for line in lines:
        console.print(Text(line, style="yellow" if line.startswith("warning ") else ""))
    console.print(Text(verdict, style="bold green" if played.verdict.minted else "bold red"))


def _hint(settings: dict[str, str]) -> None:
    lines = "\n".join(f"  {name}={value}" for name, value in settings.items())
    print(f"an endpoint believes the emulated Entra when it is started with\n{lines}", file=sys.stderr)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return _COULD_NOT_RUN

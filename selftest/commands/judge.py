"""``judge``: the verdict on one reply, from a file or a pipe."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from selftest.base.cannot_run import FAILED, PASSED, CannotRun
from selftest.base.program import PROGRAM
from selftest.judge.file_kinds import other_than_a_reply
from selftest.judge.mapping_warnings import by_weight
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import MAX_RESPONSE_BYTES, Verdict, judge
from selftest.judge.warnings import ReplyWarning
from selftest.signin.tenant.mapping_flags import add_mapping_arguments, read_route

_EXAMPLES: Final = f"""\
examples:
  {PROGRAM} judge --body reply.json
  curl -s … | {PROGRAM} judge --status 200 --content-type application/json --body -
  {PROGRAM} judge --failure timeout

exit code: 0 a token would be minted, 1 it would not, 2 usage or a file that cannot be read"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = "Say which code Entra would log for one reply, and whether it would mint a token."
    parser.epilog = _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    reply = parser.add_mutually_exclusive_group()
    reply.add_argument("--body", metavar="FILE", help="the body as it came; - reads standard input")
    reply.add_argument(
        "--failure", choices=("timeout", "connection", "protocol"), help="there was no reply, for this reason"
    )
    parser.add_argument("--status", type=int, default=200, metavar="S", help="its HTTP status (default: 200)")
    parser.add_argument(
        "--content-type",
        default="application/json",
        metavar="T",
        help='its Content-Type header; "" for none (default: application/json)',
    )
    add_mapping_arguments(parser)
    parser.add_argument("--json", action="store_true", help="write the verdict on one line, for pipes and JSON Lines")


def run(args: argparse.Namespace) -> int:
    """Judge, print the verdict as JSON, and give the exit code."""
    if args.body is None and args.failure is None:
        raise CannotRun(
            "there is no reply to judge: give --body FILE (- reads standard input), or --failure if none came; a policy"
            " or registered names are compared with a reply"
        )
    reply = _read_reply(args)
    route = read_route(args, saml=args.saml)
    verdict = judge(reply, registered=route.registered, mapping=route.mapping, token=route.token)
    warnings = sorted((*_about_the_input(args, reply, verdict), *verdict.warnings), key=by_weight)
    verdict = replace(verdict, warnings=tuple(warnings))
    print(json.dumps(verdict.as_json(), indent=None if args.json else 2))
    return PASSED if verdict.minted else FAILED


def _about_the_input(args: argparse.Namespace, reply: ReceivedReply, verdict: Verdict) -> Iterator[ReplyWarning]:
    """Yield what is doubtful about the command line: the verdict is on the bytes as Entra would get them."""
    if not verdict.minted and args.body is not None and (doubt := other_than_a_reply(reply.body)) is not None:
        yield ReplyWarning(kind="other-file", claim=None, message=doubt)
        if not args.json:
            print(f"judge: {doubt}", file=sys.stderr)
    is_assumed = args.mapping is not None and not args.saml
    if is_assumed and any(warning.kind == "wrong-protocol" for warning in verdict.warnings):
        message = "the application is taken to get a JSON Web Token; if it gets a SAML assertion, give --saml"
        yield ReplyWarning(kind="format-assumed", claim=None, message=message)


def _read_reply(args: argparse.Namespace) -> ReceivedReply:
    if args.failure is not None:
        return ReceivedReply(status=None, content_type=None, body=b"", failure=args.failure)
    # One byte more than is judged tells a body of that size from a larger one.
    body = _read_stream(sys.stdin.buffer) if args.body == "-" else _read_file(args.body)
    return ReceivedReply(status=args.status, content_type=args.content_type or None, body=body)


def _read_file(path: str) -> bytes:
    try:
        with Path(path).open("rb") as stream:
            return _read_stream(stream)
    except OSError as error:
        raise CannotRun(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a path with a null character
        raise CannotRun(f"{path!r} is not a path: {error}") from error


def _read_stream(stream: BinaryIO) -> bytes:
    return stream.read(MAX_RESPONSE_BYTES + 1)

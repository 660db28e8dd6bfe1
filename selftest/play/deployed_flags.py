"""The flags of a deployed endpoint, which trusts the real Entra, and the token that it must accept."""

import argparse
from pathlib import Path
from typing import Final

from selftest.base.bounded_file import FileError, read_text
from selftest.base.cannot_run import CannotRun

_MAX_TOKEN_FILE_BYTES: Final = 64 * 1024


def add_deployed_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a deployed endpoint."""
    parser.add_argument(
        "--deployed", action="store_true", help="with --url: the endpoint trusts the real Entra, not the emulated one"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="with --deployed: a token that the endpoint must accept"
    )


def real_token(args: argparse.Namespace) -> str | None:
    """Return the token for a deployed endpoint; None without ``--token-file``.

    Raises:
        CannotRun: The flags contradict each other, or the file does not contain a token.
    """
    if args.deployed and args.url is None:
        raise CannotRun("--deployed needs --url: it is about an endpoint that runs elsewhere")
    if args.deployed:
        # Nothing fetches from the emulated Entra then, so its port must not conflict with another program.
        args.authority_port = 0
    if args.token_file is None:
        return None
    if not args.deployed:
        raise CannotRun("--token-file needs --deployed: the emulated Entra signs its own tokens")
    try:
        token = read_text(args.token_file, _MAX_TOKEN_FILE_BYTES).strip()
    except FileError as error:
        raise CannotRun(f"--token-file {error}") from error
    if token.count(".") != 2 or not (token.isascii() and token.isprintable()) or " " in token:
        raise CannotRun(f"--token-file {args.token_file} holds no compact token (three segments, nothing else)")
    return token

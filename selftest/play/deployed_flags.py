"""A deployed endpoint, which trusts the real Entra: the flags that say so, and the token that it must accept."""

import argparse
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun

_MAX_TOKEN_FILE_BYTES: Final = 64 * 1024


class UsageError(CannotRun):
    """Raised when flags contradict each other or a file is not what it has to be."""


def add_deployed_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a deployed endpoint."""
    parser.add_argument(
        "--deployed", action="store_true", help="with --url: the endpoint trusts the real Entra, not the emulated one"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="with --deployed: a token that the endpoint must accept"
    )


def real_token(args: argparse.Namespace) -> str | None:
    """Read the token of a deployed endpoint; None where none is given.

    Raises:
        UsageError: The flags contradict each other, or the file holds no token.
    """
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
        with args.token_file.open("rb") as file:
            token = file.read(_MAX_TOKEN_FILE_BYTES + 1).strip()
    except OSError as error:
        raise UsageError(f"--token-file {args.token_file} cannot be read: {error.strerror}") from error
    if token.count(b".") != 2 or not token.isascii() or any(byte <= 32 for byte in token):
        raise UsageError(f"--token-file {args.token_file} holds no compact token (three segments, nothing else)")
    return str(token.decode())

"""The command line: which commands there are, and the exit codes that they share."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from selftest.base.cannot_run import COULD_NOT_RUN, INTERRUPTED, CannotRun
from selftest.commands import (
    check,
    doctor,
    entra,
    explain,
    host,
    judge,
    load,
    objects,
    playground,
    report,
    run,
    signin,
    signin_log,
    token,
)

_EXIT_CODES: Final = """\
exit codes:
  0    every must held
  1    a must or a threshold failed, or no token was minted
  2    it could not run: usage, settings, unreachable
  3    it ran, but the evidence is not good enough
  130  interrupted; what was found is kept

Results go to stdout, progress to stderr. Without a command everything is run, here, on this machine.
"""
_COMMANDS: Final = (
    run,
    check,
    signin,
    load,
    judge,
    doctor,
    signin_log,
    objects,
    token,
    explain,
    report,
    host,
    entra,
    playground,
)


def parser() -> argparse.ArgumentParser:
    """Describe the whole command line."""
    made = argparse.ArgumentParser(
        prog="python -m selftest",
        description="Play Microsoft Entra against a custom claims endpoint, and judge what it answers.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = made.add_subparsers(metavar="COMMAND", title="commands")
    for command in _COMMANDS:
        command.add_parser(subparsers)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, ``run`` without one, and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    args = parser().parse_args(given or ["run"])
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except CannotRun as error:
        print(error, file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has left (`| head`): say nothing more, and let the interpreter flush into nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT_RUN
    return code

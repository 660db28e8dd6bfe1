"""The command line: which commands there are, and what all of them have in common.

A command is a module of ``selftest.commands`` with a docstring, ``configure(parser)`` and ``run(args)``, which returns
the exit code. It is imported when it is called, so that a command waits for its own imports only.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, override

from selftest import __version__
from selftest.base.cannot_run import COULD_NOT_RUN, INTERRUPTED, CannotRun
from selftest.base.printable import visible
from selftest.base.program import DISTRIBUTION, PROGRAM

#: Each command with its line of the help.
COMMANDS: Final[Mapping[str, str]] = {
    "run": "run everything on this machine (the default)",
    "check": "run checks by id or prefix, against the local app or any endpoint",
    "signin": "run one sign-in: what Entra sends, what comes back, what Entra makes of it",
    "load": "send sign-ins at a constant rate: are they answered in time?",
    "judge": "print the code that Entra would log for one reply",
    "doctor": "find what is wrong with the settings and the tenant",
    "signin-log": "read the Authentication Events of sign-ins, next to the endpoint's log",
    "objects": "plan, make, show and remove the Entra objects that make Entra call the endpoint",
    "token": "get a token for the endpoint, compare it with the settings, call with it",
    "compare-callout": "say where a captured request of the real Entra differs from the emulated one",
    "explain": "explain a check id, a 1003xxx or an AADSTS code",
    "report": "make the reports of a run again from its results file, or compare two runs",
    "host": "serve function_app.py on this machine as Azure Functions would",
    "entra": "serve the emulated Entra: metadata, keys, tokens; with a tenant file whole sign-ins",
    "playground": "serve a local page: choose user, app and fault, sign in, watch the call and the token",
    "new": "make a project of your own: the endpoint, its deployment, a provider with a test",
    "update": "bring a project made by `new` to this version; your files stay as they are",
}
#: Modules that are not named after their command alone.
_MODULES: Final[Mapping[str, str]] = {"new": "starter.new", "update": "starter.update"}
_EXIT_CODES: Final = """\
exit codes:
  0    no finding counts
  1    a finding of the level sign-in or security (with --strict: of any), a threshold failed, or no token was minted
  2    it could not run: usage, settings, unreachable
  3    not enough evidence for a verdict
  130  interrupted; what was found is kept

Results go to stdout, progress to stderr. Without a command everything is run, here, on this machine.
"""
#: What an extra of the distribution installs, by the name that is imported.
_EXTRA_OF: Final[Mapping[str, str]] = {
    "azure": "tenant",
    "lxml": "browser",
    "matplotlib": "report",
    "signxml": "browser",
}


class _CommandParser(argparse.ArgumentParser):
    """The parser of one command, which imports the command when arguments are parsed."""

    def __init__(self, *, command: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._command = command

    @override
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._command is not None:
            name = _MODULES.get(self._command) or self._command.replace("-", "_")
            module = importlib.import_module(f"selftest.commands.{name}")
            self._command = None
            module.configure(self)
            self.set_defaults(run=module.run)
        return super().parse_known_args(args, namespace)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    made = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Act as Microsoft Entra towards a custom claims endpoint, and judge what it answers.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"{DISTRIBUTION} {__version__}")
    subparsers = made.add_subparsers(metavar="COMMAND", title="commands", parser_class=_CommandParser)
    for name, summary in COMMANDS.items():
        subparsers.add_parser(name, help=summary, command=name)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, ``run`` without one, and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else "run"
    try:
        args = parser().parse_args(given or ["run"])
        code: int = args.run(args)
        sys.stdout.flush()
    except CannotRun as error:
        return _refuse(name, str(error))
    except ModuleNotFoundError as error:
        return _refuse(name, _how_to_install(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout has left (`| head`): print no more, and let the interpreter flush into nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT_RUN
    return code


def _refuse(name: str, message: str) -> int:
    print(visible(f"{name}: {message}"), file=sys.stderr)
    return COULD_NOT_RUN


def _how_to_install(error: ModuleNotFoundError) -> str:
    """Return the sentence for a package that is missing; a missing module of the tool is a fault of the tool."""
    package = (error.name or "").partition(".")[0]
    if package in {"", "selftest"}:
        raise error
    if extra := _EXTRA_OF.get(package):
        wanted = f"{DISTRIBUTION}[{extra}]"
        return f"this needs the package '{package}': install the extra '{extra}', as in pipx install --force '{wanted}'"
    if (Path(__file__).parents[1] / "pyproject.toml").is_file():
        return f"the package '{package}' is missing here: type make .venv, then .venv/bin/python -m selftest"
    return f"the package '{package}' is missing here: pipx install --force {DISTRIBUTION} makes a complete environment"

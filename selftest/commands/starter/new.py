"""``new``: make a copy of the endpoint for a project, with a provider, tests and workflows."""

import argparse
import sys
from pathlib import Path

from selftest import __version__
from selftest.starter.answers import PROVIDERS, Answers, ask, name_from
from selftest.starter.contents import contents
from selftest.starter.manifest import Manifest, file_hash
from selftest.starter.tool_wheel import tool_wheel
from selftest.starter.writing import write_new


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the flags to the parser."""
    parser.description = (
        "Write a copy of the endpoint into a new folder. What no flag gives is asked for on a terminal. "
        "Exit code 0: it is written. 2: it is not, and the folder is as it was."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="a folder that is empty or does not exist")
    parser.add_argument("--name", help="of the project, like contoso-claims (default: the folder's name)")
    parser.add_argument("--tenant", metavar="GUID", help="the id of the tenant whose sign-ins get claims")
    parser.add_argument("--audience", metavar="GUID", help="the client id of the endpoint's app registration")
    sources = "; ".join(f"{name}: {source}" for name, source in PROVIDERS.items())
    parser.add_argument("--provider", metavar="KIND", help=f"where the claims come from. {sources} (default: own)")
    add_wheel_argument(parser)


def add_wheel_argument(parser: argparse.ArgumentParser) -> None:
    """Add the flag that names the wheel which goes into the copy."""
    told = "the tool's wheel for the copy (default: the installed one)"
    parser.add_argument("--wheel", type=Path, metavar="FILE", help=told)


def run(args: argparse.Namespace) -> int:
    """Write the copy.

    Raises:
        CannotRun: An answer is invalid, or the folder cannot be used.
    """
    directory: Path = args.directory
    defaults = Answers(name=name_from(directory.resolve().name))
    given = {name: getattr(args, name) for name in ("name", "tenant", "audience", "provider")}
    if sys.stdin.isatty() and sys.stdout.isatty():
        given = ask(given, defaults, input)
    answers = Answers.read(
        {**defaults.as_json(), **{name: value for name, value in given.items() if value is not None}}
    )
    files = contents(answers, tool_wheel(args.wheel))
    hashes = {path: file_hash(content) for path, content in files.managed.items()}
    manifest = Manifest(version=__version__, answers=answers, hashes=hashes)
    write_new(directory, {**files.managed, **files.copiers}, manifest)
    count = len(files.managed) + len(files.copiers) + 1
    print(f"created  {answers.name}, version {__version__}: {count} files in {directory}")
    print(f"next     cd {directory} && make test && make selftest; then read README.md")
    return 0

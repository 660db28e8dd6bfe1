"""What the tool prints for its reader to use: each command is one that it takes, each file one that the reader has."""

import re
import shlex
from typing import Final

import pytest

from selftest.base.bounded_file import FileError
from selftest.checks import REGISTRY
from selftest.cli import COMMANDS, parser
from selftest.judge.codes import CODES
from tests.checkout import ROOT
from tests.printed_texts import printed_texts

_TEXTS: Final = list(printed_texts())
_NAMES: Final = "|".join(sorted(COMMANDS, key=len, reverse=True))
_CALLED: Final = r"(?:\{PROGRAM\}|\{\{ program \}\}|python -m selftest) "
#: A command in backticks, or after the program's name up to the end of the clause. A name alone in backticks is no line
#: to type.
_SPAN: Final = re.compile(
    rf"`(?:{_CALLED})?(?P<quoted>(?:{_NAMES})\s[^`]+)`|{_CALLED}(?P<open>(?:{_NAMES})\b(?:(?!  )[^`;,<)|\n])*)"
)
_GUID: Final = "11111111-1111-4111-8111-111111111111"
#: What a value or a placeholder stands for, most special first.
_STANDS_FOR: Final = (
    (r"\{correlation_id\}|\bGUID\b|\bTENANT\b", _GUID),
    (r"\{[^{}]*url\}|https://HOST|\bURL\b", "https://claims.sample.example"),
    (r"\{\{[^{}]*\}\}|\{[^{}]*\}", "1"),
)
#: The commands that call an endpoint: without one of these they start the app in the current folder.
_CALLING: Final = ("check", "load", "run", "signin")
#: The commands that read the tenant, and by default with the Azure CLI's sign-in.
_READING: Final = ("doctor", "signin-log")
_AT: Final = ("--app", "--list", "--url")
#: Printed about the app that this command has just started, or with the flags of the command before.
_OF_THIS_RUN: Final = {"check 1", "check L", "load --profile soak", "load --profile step", "load --profile spike"}
#: Of the project that a file of the tool may be a part of.
_OF_THIS_REPOSITORY: Final = re.compile(r"(?<![\w/])(?:benchmarks|docs|infra|tests)/[\w./-]*\w")


def printed() -> set[tuple[str, str]]:
    """Return each command that a text names, with its file, and a value for each placeholder."""
    found = {(path, each["quoted"] or each["open"]) for path, text in _TEXTS for each in _SPAN.finditer(text)}
    found |= {(f"code {code.code}", command) for code in CODES.values() for command in code.commands}
    return {(path, _with_values(command)) for path, command in found}


def _with_values(command: str) -> str:
    for placeholder, value in _STANDS_FOR:
        command = re.sub(placeholder, value, command)
    return " ".join(command.split()).strip(".")


def problem(command: str) -> str:
    """Return what is wrong with a command, or nothing."""
    words = shlex.split(command)
    try:
        parser().parse_args(words)
    except FileError:
        return ""  # it would read a file of the reader's
    except SystemExit as ended:
        if ended.code:
            return "a usage error"
    unknown = [word for word in words[1:] if re.fullmatch(r"[CTBFLI]\d+", word) and word not in REGISTRY]
    if unknown:
        return f"no check {unknown}"
    if words[0] in _READING and "--tenant" in words and "--credential" not in words:
        return "the Azure CLI's sign-in cannot read extensions and listeners"
    nowhere = words[0] in _CALLING and not set(_AT) & set(words) and command not in _OF_THIS_RUN
    return "it names no endpoint" if nowhere else ""


@pytest.mark.parametrize(("path", "command"), sorted(printed()))
def test_printed_command_works(path: str, command: str) -> None:
    """No command that a text gives is a usage error, or looks for an app where there is none."""
    assert not problem(command), path


@pytest.mark.parametrize(
    "command",
    ["check C26", "check C26 --ulr x", "check C999 --url http://x.example", "load --rate", f"doctor --tenant {_GUID}"],
)
def test_wrong_command_is_found(command: str) -> None:
    """No endpoint, an unknown flag, an unknown check, a flag without its value, and a sign-in that cannot read."""
    assert problem(command)


def test_commands_are_found_in_every_kind_of_text() -> None:
    """In code, in tables, in templates and in the table of codes."""
    kinds = {path.rpartition(".")[2] if "." in path else "code" for path, _ in printed()}
    assert kinds == {"py", "toml", "jinja", "code"}
    assert len(printed()) > 80


def test_printed_text_names_no_file_that_the_reader_lacks() -> None:
    """The wheel has no page and no test of this repository; `explain` says where it has the endpoint's files."""
    texts = [each for each in _TEXTS if each[0] != "selftest/starter/contents.py"]  # of a copy
    named = {(path, found) for path, text in texts for found in _OF_THIS_REPOSITORY.findall(text)}
    assert named == set()
    of_claims = {found for _, text in _TEXTS for found in re.findall(r"\bclaims/[\w/]+\.py\b", text)}
    assert {found for found in of_claims if not (ROOT / found).is_file()} == set()
    assert len(of_claims) > 10

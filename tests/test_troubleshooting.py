"""The way from a symptom to a command: every command is one that exists, and prints what the page says."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from selftest.checks import REGISTRY
from selftest.cli import main, parser
from selftest.judge.codes import CODES
from selftest.tenant.signin_log.outcomes import OUTCOMES

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
COMMANDS = {
    name for action in parser()._actions if isinstance(action, argparse._SubParsersAction) for name in action.choices
}
SYMPTOMS = (
    "No token and a generic error",
    "Endpoint never called",
    "Called but refused",
    "Slow sometimes",
    "Token without the claim",
    "Works with one app only",
    "SAML error page",
    "No event for a token",
    "Signing key of the application",
    "A gateway in front",
    "Too many sign-ins at once",
    "Terraform, Graph and national clouds",
    "Works locally, not deployed",
    "Where the app's log is",
)
_PROGRAM = "python -m selftest "
_STANDS_FOR = {
    "https://HOST": "https://claims.sample.example",
    "TENANT": "22222222-2222-4222-8222-222222222222",
    "APPID": "11111111-1111-4111-8111-111111111111",
}


def commands() -> set[str]:
    """Collect the command lines of the page, from its blocks and from its sentences."""
    lines = re.findall(r"^\$ (.+)$", PAGE, re.MULTILINE) + re.findall(r"`(python -m selftest [^`]+)`", PAGE)
    return {line.removeprefix(_PROGRAM) for line in lines if line.startswith(_PROGRAM)}


def examples() -> Iterator[tuple[str, list[str]]]:
    """Give each command that is shown with its output."""
    for block in re.findall(r"^```console\n\$ python -m selftest (.+?)^```", PAGE, re.MULTILINE | re.DOTALL):
        command, *shown = block.splitlines()
        yield command, shown


@pytest.mark.parametrize("command", sorted(commands()))
def test_command_line_takes_it(command: str) -> None:
    """Nothing that the reader is told to run is a usage error."""
    for placeholder, value in _STANDS_FOR.items():
        command = command.replace(placeholder, value)
    words = shlex.split(command)
    if words[0] not in COMMANDS:
        pytest.skip(f"{words[0]} is not a command yet")
    parser().parse_args(words)
    for word in words[1:]:
        assert not re.fullmatch(r"[CTBF]\d+", word) or word in REGISTRY


@pytest.mark.parametrize(("command", "shown"), list(examples()), ids=[command for command, _ in examples()])
def test_output_is_the_real_one(
    command: str, shown: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line that is shown is printed, in this order; ``…`` stands for others, or for the rest of a line."""
    monkeypatch.chdir(ROOT)
    assert main(shlex.split(command)) in {0, 1}
    printed = iter(capsys.readouterr().out.splitlines())

    assert shown
    for line in shown:
        wanted = line.removesuffix("…")
        assert line == "…" or any(each == line or (wanted != line and each.startswith(wanted)) for each in printed), (
            line
        )


def test_page_covers_every_symptom_and_names_what_exists() -> None:
    """The sections are the symptoms; codes and outcomes are those of the tables."""
    assert tuple(re.findall(r"^## (.+)$", PAGE, re.MULTILINE)) == SYMPTOMS
    for section in PAGE.split("\n## ")[1:]:
        assert "python -m selftest" in section
        assert "**Do**:" in section
    codes = {int(code) for code in re.findall(r"\b(1003\d{3})\b", PAGE)}
    assert codes <= CODES.keys()
    assert {f"AADSTS{code}" for code in re.findall(r"AADSTS(\d+)", PAGE)} <= CODES.keys()
    rows = [row.split("|")[1] for row in PAGE.splitlines() if row.startswith("| `")]
    outcomes = [outcome for row in rows for outcome in re.findall(r"`([a-z_]+)`", row)]
    assert len(outcomes) > 4
    assert set(outcomes) <= OUTCOMES.keys()

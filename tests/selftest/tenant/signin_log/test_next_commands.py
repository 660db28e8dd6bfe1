"""Each command under `next` runs as it is printed; one that needs a value of the reader's is under `then`."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from selftest.base.program import PROGRAM
from selftest.cli import main, parser
from tests.checkout import ROOT
from tests.selftest.tenant.signin_log.exports import callout, signin

TENANT = "11111111-1111-4111-8111-111111111111"
LOGS = ROOT / "selftest" / "tenant" / "signin_log"
FLOW = ROOT / "selftest" / "tenant" / "doctor" / "flow.toml"


def commands() -> set[str]:
    """Collect every command of the tables, with values for what is filled in."""
    meanings = tomllib.loads((LOGS / "meaning.toml").read_text()).values()
    outcomes = tomllib.loads((LOGS / "outcomes.toml").read_text())["outcome"]
    found = {table.get("way_on", "") for table in (*meanings, *outcomes)}
    found |= {table.get("next_command", "") for table in tomllib.loads(FLOW.read_text()).values()}
    values = {"{way_on}": "", "{again}": "", "{explain}": "explain 1003002", "{url}": "https://HOST"}
    for name, value in values.items():
        found = {text.replace(name, value) for text in found}
    return found - {""}


@pytest.mark.parametrize("command", sorted(commands()))
def test_command_is_one_of_the_tool(command: str) -> None:
    """The command line accepts it, once its words in capital letters are values, and no shell changes it."""
    assert not re.search(r"[<>|&;$`*?]", command)
    assert not set(re.findall(r"\b[A-Z]{3,}\b", command)) - {"HOST", "TENANT"}
    assert ("TENANT" in command) == ("--credential browser" in command)  # by default the Azure CLI signs in
    words = shlex.split(command.replace("HOST", "host.example").replace("TENANT", TENANT))
    if "--help" in words:
        with pytest.raises(SystemExit, match="0"):
            parser().parse_args(words)
    else:
        assert callable(parser().parse_args(words).run)


@pytest.mark.parametrize(
    "results",
    [
        [callout()],
        [callout(code=1003002, status=401)],
        [callout(code=1003002, status=404)],
        [callout(code=1003005, status=0)],
        [callout(code=1003021, status=0, attempts=0)],
        [callout(code=1003999)],
        [{"errorCode": None}],
        [],
    ],
)
def test_next_line_runs(results: list[dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the event is, the printed command ends well; one that needs a value has it in capital letters."""
    path = tmp_path / "export.json"
    path.write_text(json.dumps([signin(1, *results)]))
    main(["signin-log", "--file", str(path), "--json"])
    told = json.loads(capsys.readouterr().out)

    for place in (told, *told["events"]):
        if place["next"] is not None:
            words = shlex.split(place["next"].removeprefix(PROGRAM))
            assert not {"HOST", "TENANT"} & set(re.findall(r"\b[A-Z]+\b", place["next"]))
            assert words[0] == "explain"
            assert main(words) == 0
        assert place["then"] is None or re.search(r"HOST|TENANT", place["then"])

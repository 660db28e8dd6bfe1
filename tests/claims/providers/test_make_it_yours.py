"""The page on writing a provider says what is so."""

import json
import re
import sys
from pathlib import Path

import pytest

from claims.provider import Provider
from claims.provider_module import load_provider
from claims.reply import build_reply
from selftest.cli import parser
from selftest.judge.claims_file import add_to_claims_file
from selftest.judge.mapping import MappingPolicy
from selftest.judge.mapping_warnings import mapping_warnings
from tests.claims.providers.desk import EVENT, some_context

PAGE = (Path(__file__).parents[3] / "docs" / "make-it-yours.md").read_text()


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Provider:
    """Give the provider of the page, as the module that it would be."""
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    (tmp_path / "mine.py").write_text(code[1])
    monkeypatch.setattr("claims.providers.__path__", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "claims.providers.mine", raising=False)
    return load_provider("mine", {"Claims__Mine__Region": "us"})


async def test_provider_of_the_page_runs(mine: Provider) -> None:
    """Ten lines, and a reply that Entra takes."""
    claims = await mine.provide(EVENT, some_context())
    action = json.loads(build_reply(claims).body)["data"]["actions"][0]
    assert action["claims"] == {"Region": "us", "Guest": "false"}


def test_claims_of_the_page_are_those_of_its_provider(tmp_path: Path) -> None:
    """The claims file, the warning and the commands about the way into a token are what the tool writes and takes."""
    file = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert file is not None
    add_to_claims_file(tmp_path / "claims.json", ["Region", "Guest"])
    assert json.loads(file[1]) == json.loads((tmp_path / "claims.json").read_text())
    (warning, *_) = mapping_warnings({"Region": "eu"}, MappingPolicy(entries=()), "jwt")
    assert f"warning  {warning.message}" in PAGE.splitlines()
    section = PAGE.partition("## Get the claims into a token")[2].partition("\n## ")[0]
    for line in re.findall(
        r"^python -m selftest (.+)$", section.replace("claims.json", str(tmp_path / "claims.json")), re.MULTILINE
    ):
        parser().parse_args(re.sub(r"<[^>]+>", "11111111-1111-4111-8111-111111111111", line).split())


def test_provider_of_the_page_is_short() -> None:
    """Ten lines of code."""
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    assert len([line for line in code[1].splitlines() if line]) <= 10

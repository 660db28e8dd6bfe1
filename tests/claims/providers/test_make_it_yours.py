"""The page on writing a provider says what is so."""

import json
import re
import sys
from pathlib import Path

import pytest

from claims.provider import Provider
from claims.provider_module import load_provider
from claims.reply import build_reply
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


def test_provider_of_the_page_is_short() -> None:
    """Ten lines of code."""
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    assert len([line for line in code[1].splitlines() if line]) <= 10

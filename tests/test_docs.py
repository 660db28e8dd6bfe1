"""The pages say what is there."""

import re
from pathlib import Path

import pytest

from selftest.checks import REGISTRY
from selftest.checks.bench.environment import PROFILES

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
_SETTING = re.compile(r"\b(?:AuthenticationEvents|Claims)__\w+")
#: What a reader is told to write, and what Microsoft's trigger has and this endpoint has not.
NOT_HERE = {"claims/providers/mine.py"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_files_that_exist(page: Path) -> None:
    """A path in a page leads somewhere."""
    text = page.read_text()
    named = set(re.findall(r"`((?:claims|selftest|tests|docs)/[\w./-]+)`", text)) - NOT_HERE
    linked = {link for link in re.findall(r"\]\(([\w./-]+)\)", text) if not link.startswith("http")}
    assert not {path for path in named if not (ROOT / path).exists()}
    assert not {link for link in linked if not (page.parent / link).exists()}


def test_readme_is_short_and_counts_right() -> None:
    """The first page fits a reader's patience, and its figure of checks is the registry's."""
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    assert f"{len(REGISTRY)} checks, each with" in text
    longer = sum(bool(check.needs & PROFILES) for check in REGISTRY.values())
    assert f"PASS  {len(REGISTRY) - longer} checks passed, 7 of 7 sign-ins minted" in text


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    """The settings that the code reads are those of their page, and no other page names one that does not exist."""
    code = {name for path in (ROOT / "claims").rglob("*.py") for name in _SETTING.findall(path.read_text())}
    named = {page.name: set(_SETTING.findall(page.read_text())) for page in PAGES}
    assert {name for name in code if not name.endswith("__")} == {
        name for name in named["settings.md"] if not name.endswith("__")
    }
    assert named["make-it-yours.md"] - code == {"Claims__Mine__Region"}
    assert not set().union(*(names for page, names in named.items() if page != "make-it-yours.md")) - code

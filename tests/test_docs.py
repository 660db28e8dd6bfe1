"""The pages say what is there."""

import re
from collections import Counter
from pathlib import Path

import pytest

from selftest.checks import REGISTRY
from selftest.checks.bench.environment import ON_REQUEST

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
_SETTING = re.compile(r"\b(?:AuthenticationEvents|Claims)__\w+")
#: What a reader is told to write, what a copy contains, and what Microsoft's trigger has but this endpoint does not.
NOT_HERE = {
    "claims/providers/contoso.py",
    "claims/providers/crm.py",
    "claims/providers/mine.py",
    "tests/data_source.py",
    "tests/test_mine.py",
    "tests/test_profile_api.py",
}
#: What is in a copy of the starter, or in the clone of a team.
IN_A_COPY = {"claims/providers/contoso_hr.py", "tests/test_contoso_hr.py"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_files_that_exist(page: Path) -> None:
    """A path in a page leads somewhere."""
    text = page.read_text()
    named = set(re.findall(r"`((?:claims|selftest|tests|docs)/[\w./-]+)`", text)) - NOT_HERE
    named -= IN_A_COPY if page.name == "starter.md" else set()
    assert not {path for path in named if not (ROOT / path).exists()}


def counted(text: str) -> str:
    """Write the registry's numbers of checks into the README."""
    played = [check for check in REGISTRY.values() if not check.needs & ON_REQUEST]
    text = re.sub(r"(?<=all )\d+(?=\s+checks\b)", str(len(REGISTRY)), text, flags=re.MULTILINE)
    text = re.sub(r"^(PASS  .+ let in, )\d+(?= checks passed)", rf"\g<1>{len(played)}", text, flags=re.MULTILINE)
    for letter, count in Counter(check.id[0] for check in played).items():
        text = re.sub(rf"^({letter}  \w+ +)\d+ of \d+", rf"\g<1>{count} of {count}", text, flags=re.MULTILINE)
    return text


def test_readme_is_short_and_counts_right() -> None:
    """The README has at most 150 lines, and its numbers of checks are the registry's; `make docs` writes them."""
    text = README.read_text()
    assert len(text.splitlines()) <= 150
    assert f"all {len(REGISTRY)} checks" in " ".join(text.split())
    assert text == counted(text)


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    """The settings that the code reads are those of their page, and no other page names one that does not exist."""
    code = {name for path in (ROOT / "claims").rglob("*.py") for name in _SETTING.findall(path.read_text())}
    named = {page.name: set(_SETTING.findall(page.read_text())) for page in PAGES}
    assert {name for name in code if not name.endswith("__")} == {
        name for name in named["settings.md"] if not name.endswith("__")
    }
    examples = {"Claims__Mine__Region", "Claims__Mine__Account", "Claims__Crm__Url", "Claims__Crm__Scope"}
    assert set().union(*named.values()) - code == examples


if __name__ == "__main__":
    README.write_text(counted(README.read_text()))

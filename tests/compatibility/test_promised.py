"""docs/compatibility.md: what is promised stays, and what is new is announced."""

import re

from selftest import __version__
from tests.checkout import ROOT
from tests.compatibility.promised import missing, promised, recorded, with_new

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
PAGE = (ROOT / "docs/compatibility.md").read_text()
FIRST = "1.0.0"


def test_nothing_promised_is_gone() -> None:
    """A name that was removed or renamed breaks whoever uses it: bring it back, or release a new major version."""
    assert not missing(recorded(), promised())


def test_what_is_new_is_recorded() -> None:
    """A new name is a promise from now on: run `python -m tests.compatibility.promised`."""
    assert recorded() == with_new(recorded(), promised(), __version__)


def test_what_was_added_is_in_the_changelog() -> None:
    """Each name that version 1.0.0 did not have is in CHANGELOG.md, as code."""
    later = {
        name
        for by_version in recorded().values()
        for version, names in by_version.items()
        for name in names
        if version != FIRST
    }
    assert not {name for name in later if f"`{name}`" not in CHANGELOG}


def test_version_is_that_of_the_newest_entry() -> None:
    """What `--version` prints has an entry of its own with a date; what is not released yet may stand above it."""
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    newest = next(heading for heading in headings if heading != "Unreleased")
    assert re.fullmatch(rf"{re.escape(__version__)} \(\d{{4}}-\d\d-\d\d\)", newest)


def test_page_names_every_kind_and_counts_right() -> None:
    """The table of the page is the record."""
    rows = dict(re.findall(r"^\| ([^|]+?) \| (\d+) \|", PAGE, re.MULTILINE))
    assert rows == {kind: str(len({*names})) for kind, names in promised().items()}


def test_removed_and_renamed_names_are_found() -> None:
    """One that is gone, and one that only moved to another kind; an addition is none of them."""
    record = {"settings": {"1.0.0": ["A", "B"], "1.1.0": ["C"]}, "checks": {"1.0.0": ["T01"]}}
    assert not missing(record, {"settings": {"A", "B", "C", "D"}, "checks": {"T01"}})
    assert missing(record, {"settings": {"A", "T01"}}) == {"settings: B", "settings: C", "checks: T01"}


def test_new_names_get_the_version() -> None:
    """And the others keep theirs, also those that the code lacks."""
    record = {"settings": {"1.0.0": ["A", "B"]}}
    grown = with_new(record, {"settings": {"A", "C"}, "checks": ["T01"]}, "1.1.0")
    assert grown == {"settings": {"1.0.0": ["A", "B"], "1.1.0": ["C"]}, "checks": {"1.1.0": ["T01"]}}
    assert with_new(grown, {"settings": {"D"}, "checks": []}, "1.1.0")["settings"]["1.1.0"] == ["C", "D"]
    assert record == {"settings": {"1.0.0": ["A", "B"]}}

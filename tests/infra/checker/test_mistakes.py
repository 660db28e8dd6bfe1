"""The checker against planted mistakes: each is found, named, and nothing else is said."""

from pathlib import Path

import pytest

from infra.check import ROOT
from infra.checker.published_types import PublishedTypes
from infra.checker.rules import Outside, all_findings
from tests.infra.checker.mistakes import BEYOND, MISTAKES, Mistake


def _plant(checkout: Path, mistake: Mistake) -> None:
    path = checkout / mistake.file
    text = path.read_text()
    assert mistake.old in text, "the mistake has nothing to break any more"
    path.write_text(text.replace(mistake.old, mistake.new, 1))


def _needed(mistake: Mistake, outside: Outside) -> None:
    if mistake.needs == "types" and outside.types is None:
        pytest.skip("Azure's published types are not here; BICEP_TYPES names the file")
    if mistake.needs == "azd" and outside.azd_schema is None:
        pytest.skip("azd's published schema is not here; AZD_SCHEMA names the file")


def test_nothing_is_found_in_this_checkout() -> None:
    """The files as they are keep every rule that needs nothing from outside."""
    assert [finding.told(ROOT) for finding in all_findings(ROOT, Outside())] == []


def test_every_resource_fits_the_published_types(published: PublishedTypes) -> None:
    """Types, versions, properties and values."""
    assert [finding.told(ROOT) for finding in all_findings(ROOT, Outside(types=published))] == []


def test_azure_yaml_fits_the_published_schema(azd_schema: Path) -> None:
    """Keys and hooks."""
    assert [finding.told(ROOT) for finding in all_findings(ROOT, Outside(azd_schema=azd_schema))] == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_is_found_and_named(mistake: Mistake, checkout: Path, outside: Outside) -> None:
    """One finding, of the rule that is meant, in the file that is broken, with the name of what is wrong."""
    _needed(mistake, outside)
    _plant(checkout, mistake)
    findings = all_findings(checkout, outside)
    assert len(findings) == 1, [finding.told(checkout) for finding in findings]
    assert findings[0].rule == mistake.rule
    assert mistake.named in findings[0].message
    lagging = mistake.rule == "workbook"  # the query is good, and the page that repeats it is not
    assert lagging or findings[0].file == checkout / mistake.file


@pytest.mark.parametrize("mistake", BEYOND, ids=lambda mistake: mistake.name)
def test_what_only_the_compiler_or_azure_sees(mistake: Mistake, checkout: Path, outside: Outside) -> None:
    """These pass; docs/deploy.md says what to run against them. Who teaches one to the checker moves it up."""
    _plant(checkout, mistake)
    assert all_findings(checkout, outside) == []


def test_mistakes_are_of_many_kinds() -> None:
    """Fifty of one kind would prove little."""
    assert len(MISTAKES) >= 50
    assert len({mistake.rule for mistake in MISTAKES}) >= 25

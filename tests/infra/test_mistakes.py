"""Planted mistakes: each is found and named, by the compiler or by a rule of ours, and good files give no finding."""

from collections import Counter

import pytest

from tests.infra.checkout import ROOT, Checkout
from tests.infra.checks_page import page
from tests.infra.compiler_mistakes import COMPILER_MISTAKES
from tests.infra.conftest import Planted
from tests.infra.mistake import Mistake
from tests.infra.our_mistakes import OUR_MISTAKES
from tests.infra.rules import RULES, findings, why_not


def test_the_compiler_and_its_linter_find_nothing(compiled: Planted) -> None:
    """Errors and warnings alike: a build with warnings alone succeeds."""
    assert compiled.diagnostics == []


@pytest.mark.parametrize("name", RULES)
def test_our_rules_find_nothing(name: str, request: pytest.FixtureRequest) -> None:
    """The files as they are keep every rule."""
    missing = why_not(name, Checkout())
    if missing == "the Bicep compiler is missing":
        checkout = request.getfixturevalue("compiled").checkout
    elif missing:
        pytest.skip(missing)
    else:
        checkout = Checkout()
    assert list(RULES[name](checkout)) == []


@pytest.mark.parametrize("mistake", COMPILER_MISTAKES, ids=lambda mistake: mistake.name)
@pytest.mark.usefixtures("compiler")
def test_the_compiler_finds_and_names(mistake: Mistake, planted: dict[str, Planted]) -> None:
    """By the rule that is meant; further diagnostics may follow from the same mistake."""
    found = planted[mistake.name].diagnostics
    assert any(one.rule == mistake.rule and mistake.named in one.message for one in found), found


@pytest.mark.parametrize("mistake", OUR_MISTAKES, ids=lambda mistake: mistake.name)
def test_our_rules_find_and_name(mistake: Mistake, planted: dict[str, Planted], request: pytest.FixtureRequest) -> None:
    """By the rule that is meant and by no other; the compiler does not report it, or the rule would be needless."""
    copy = planted[mistake.name]
    if mistake.is_bicep:
        request.getfixturevalue("compiler")
    if missing := why_not(mistake.rule, copy.checkout):
        pytest.skip(missing)
    assert copy.diagnostics == []
    found = findings(copy.checkout)
    assert found.keys() == {mistake.rule}
    assert any(mistake.named in message for message in found[mistake.rule])


def test_each_rule_of_ours_finds_a_second_mistake() -> None:
    """A rule that knows one text only would find nothing else of its kind; the compiler's own rules are general."""
    planted = Counter(mistake.rule for mistake in OUR_MISTAKES)
    assert {name for name in RULES if planted[name] < 2} == set()
    changes = {(mistake.file, mistake.old, mistake.new) for mistake in OUR_MISTAKES}
    assert len(changes) == len(OUR_MISTAKES)
    assert all(mistake.rule in RULES for mistake in OUR_MISTAKES)


def test_mistakes_are_of_many_kinds() -> None:
    """Fifty of one kind would prove little."""
    assert len({mistake.rule for mistake in (*COMPILER_MISTAKES, *OUR_MISTAKES)}) >= 35


def test_the_page_is_generated() -> None:
    """Write it with ``make docs``."""
    assert (ROOT / "docs/infra-checks.md").read_text() == page()

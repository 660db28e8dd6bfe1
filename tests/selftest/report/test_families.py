"""Findings by family: one cause is one finding, with its proofs, in the order of the harm."""

import pytest

from selftest.checks import REGISTRY
from selftest.report.families import FAMILIES, SIGNATURE_ONLY, Finding, family_of, findings
from selftest.report.results import CheckResult
from tests.selftest.report.sample import check

FAMILY = {family.name: family for family in FAMILIES}
ANYBODY = FAMILY["no-validation"].sentence


def attacks(*let_in: str) -> list[CheckResult]:
    """Return every attack of the registry, of which these were let in."""
    return [
        check(
            each.id,
            "fail" if each.id in let_in else "pass",
            level=each.level,
            title=each.title,
            let_in=each.id in let_in,
        )
        for each in REGISTRY.values()
        if each.id[0] == "T"
    ]


def told(found: list[Finding]) -> list[tuple[str, tuple[str, ...]]]:
    """Return each finding's sentence with the ids that prove it."""
    return [(finding.sentence, tuple(check.id for check in finding.checks)) for finding in found]


def test_families_name_security_checks_once() -> None:
    """Each id is an attack that there is, of the level security, in one family."""
    ids = [check_id for family in FAMILIES for check_id in family.ids]
    assert len(ids) == len(set(ids))
    assert {REGISTRY[check_id].level for check_id in ids} == {"security"}
    attacks_of_security = {each.id for each in REGISTRY.values() if each.level == "security" and each.id[0] == "T"}
    assert attacks_of_security == set(ids)
    assert all(family_of(check_id) == family.name for family in FAMILIES for check_id in family.ids)
    assert family_of("C01") is None


def test_who_asks_for_no_token_lets_anybody_in() -> None:
    """Every attack of every family is a proof of that one finding."""
    everything = sorted(frozenset().union(*(family.ids for family in FAMILIES)), key=lambda name: int(name[1:]))
    (finding,) = findings(attacks(*everything))
    assert told([finding]) == [(ANYBODY, tuple(everything))]
    assert finding.tried == len(everything)


def test_a_signature_that_is_not_checked_lets_anybody_in_too() -> None:
    """Whoever only decodes refuses a missing token; that nothing else is compared is part of the finding."""
    let_in = ("T30", "T67", "T88", "T100", "T120")
    assert told(findings(attacks(*let_in))) == [(ANYBODY, let_in)]


def test_a_signature_alone_is_one_finding() -> None:
    """Audience, caller and times are missing together: they are not three findings."""
    let_in = ("T80", "T88", "T100", "T111", "T115", "T120")
    (finding,) = findings(attacks(*let_in))
    assert told([finding]) == [(SIGNATURE_ONLY.sentence, let_in)]
    assert finding.tried == len(SIGNATURE_ONLY.ids)


@pytest.mark.parametrize(
    ("name", "let_in"),
    [
        ("any-application", ("T100", "T101", "T111")),
        ("any-tenant", ("T80",)),
        ("any-audience", ("T88", "T115")),
        ("expired", ("T120",)),
        ("no-validation", ("T30", "T31")),
    ],
)
def test_a_mistake_is_named(name: str, let_in: tuple[str, ...]) -> None:
    """Each of the usual mistakes is a finding with its own sentence and fix."""
    (finding,) = findings(attacks(*let_in))
    assert told([finding]) == [(FAMILY[name].sentence, let_in)]
    assert (finding.fix, finding.tried) == (FAMILY[name].fix, len(FAMILY[name].ids))


def test_several_mistakes_are_told_in_the_order_of_the_harm() -> None:
    """A family stands before what stands alone on its level, whatever the ids are."""
    found = findings([*attacks("T120", "T80", "T100", "T13"), check("C97", "fail", level="security", let_in=True)])
    assert [finding.sentence for finding in found] == [
        *(FAMILY[name].sentence for name in ("any-tenant", "any-application", "expired")),
        "expected: holds C97",
        f"expected: {REGISTRY['T13'].title}",
    ]


def test_what_stands_alone_is_a_finding_of_its_own() -> None:
    """The level decides the order, then whether an attack was let in, then the id."""
    failed = [
        *(check("B01", "fail", level="convention"), check("B02", "fail", level="hardening")),
        *(check("T20", "fail", level="hardening", let_in=True), check("C01", "error")),
    ]
    assert [finding.checks[0].id for finding in findings(failed)] == ["C01", "T20", "B02", "B01"]
    assert {finding.tried for finding in findings(failed)} == {1}


def test_a_refused_attack_that_fails_otherwise_proves_no_family() -> None:
    """An endpoint that refuses a token and still fetches its key set lets nobody in."""
    found = findings([*attacks("T30"), check("T52", "fail", level="security", let_in=False, title="fetches nothing")])
    assert told(found)[1:] == [("expected: fetches nothing", ("T52",))]


def test_a_waived_failure_is_no_finding_and_no_proof() -> None:
    """The family that it would prove is not told either."""
    assert findings([check("T100", "fail", level="security", let_in=True, waiver="known (until 2027-03-31)")]) == []

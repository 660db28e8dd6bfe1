"""The registry: one world of ids, words for everything, and codes that lead to the statements that find them."""

from collections.abc import Iterator

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.checks import REGISTRY, select
from selftest.commands.explain import statements
from selftest.judge.codes import CODES, Code
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.diagnosis import diagnose
from selftest.tenant.doctor.registry import (
    TENANT_STATEMENTS,
    EvidenceMissing,
    TenantFinding,
    TenantStatement,
    statement,
)


def test_no_id_is_used_twice() -> None:
    """What the doctor tries and what `check` runs share no id."""
    assert len(statements()) == len(REGISTRY) + len(TENANT_STATEMENTS)


def test_taken_id_is_refused() -> None:
    """A second statement of one id stops the import."""
    with pytest.raises(ValueError, match="needs another id"):
        statement("D01", "again", source="ours", why="-", fix="-", explain="-")(lambda _: ())


@pytest.mark.parametrize("one", TENANT_STATEMENTS.values(), ids=lambda one: one.id)
def test_every_statement_has_words(one: TenantStatement) -> None:
    """No text is empty or padded; sentences end; the explanation is short; the code is known."""
    for text in (one.title, one.source, one.why, one.fix, one.explain):
        assert len(text) > 3
        assert text == text.strip()
    assert one.title[0].islower() or one.title.startswith(("Entra", "Graph", "Microsoft", "App Service"))
    assert not one.title.endswith(".")
    assert one.why.endswith(".")
    assert len(one.explain.splitlines()) <= 8
    assert one.code is None or one.code in CODES


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: str(code.code))
def test_codes_lead_to_statements(code: Code) -> None:
    """A code names statements that exist; the wrapper of all codes names the group."""
    assert not {name for name in code.related if name[0] == "D" and name not in TENANT_STATEMENTS and name != "D"}


def test_codes_of_the_wiring_name_the_statement_that_finds_them() -> None:
    """Whoever explains a code of the wiring is led to the statement that finds it."""
    for one in TENANT_STATEMENTS.values():
        if one.code is not None:
            assert one.id in CODES[one.code].related, f"{one.id} is not related to {one.code}"


def test_check_sends_to_the_doctor() -> None:
    """`check D` says whose statements these are."""
    with pytest.raises(CannotRun, match="python -m selftest doctor"):
        select(["D23"])


def test_evidence_that_ends_keeps_what_was_found() -> None:
    """A statement that finds one thing and then lacks evidence for the rest has found the one."""

    def halfway(_: Case) -> Iterator[TenantFinding]:
        yield TenantFinding(expected="a", actual="b")
        raise EvidenceMissing("no more")

    one = TenantStatement(id="D99", title="t", level="sign-in", source="s", why="w", fix="f", explain="e", run=halfway)

    assert diagnose(Case(), [one]).results[0].status == "fail"


def test_broken_statement_is_no_pass() -> None:
    """A statement that raises is a result of its own, and counts as wrong."""

    def broken(_: Case) -> list[TenantFinding]:
        raise RuntimeError("a name")

    one = TenantStatement(id="D99", title="t", level="hardening", source="s", why="w", fix="f", explain="e", run=broken)
    findings = diagnose(Case(), [one])

    assert findings.results[0].status == "error"
    assert findings.exit_code == 1
    assert "a name" not in str(findings.results[0].findings)

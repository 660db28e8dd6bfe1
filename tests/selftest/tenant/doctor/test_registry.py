"""The registry: one world of ids, words for everything, and codes that lead to the statements that find them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.checks import REGISTRY, select
from selftest.commands.explain import statements
from selftest.contract import (
    DEFAULT_TIMEOUT_MS,
    EVENT_SERVICE_APP_ID,
    MAX_EXTERNAL_CALLS_PER_S,
    MAX_RETRIES,
    MAX_TIMEOUT_MS,
    MIN_TIMEOUT_MS,
)
from selftest.judge.codes import CODES, Code
from selftest.judge.restricted_claims import NAME_ID_CLAIM_TYPE
from selftest.judge.texts import read_texts
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.diagnosis import diagnose
from selftest.tenant.doctor.evidence.easyauth import ALLOWED_TENANTS
from selftest.tenant.doctor.registry import (
    TENANT_STATEMENTS,
    EvidenceMissing,
    TenantFinding,
    TenantStatement,
    complete,
    statement,
)
from selftest.tenant.doctor.statements import calls, endpoint, listener, target
from selftest.tenant.graph.objects import GRAPH_APP_ID, RECEIVE_PAYLOAD_ROLE_ID


def test_no_id_is_used_twice() -> None:
    """What the doctor tries and what `check` runs share no id."""
    assert len(statements()) == len(REGISTRY) + len(TENANT_STATEMENTS)


def test_taken_id_is_refused() -> None:
    """A second statement of one id stops the import."""
    with pytest.raises(ValueError, match="use another id"):
        statement("D01")(lambda _: ())


def test_statement_without_texts_is_refused() -> None:
    """An id without a table in a TOML file stops the import."""
    with pytest.raises(ValueError, match="D99 has no texts"):
        statement("D99")(lambda _: ())


def test_texts_without_a_statement_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table whose statement is gone stops the import, and nothing is lost."""
    monkeypatch.delitem(TENANT_STATEMENTS, "D26")
    with pytest.raises(ValueError, match="no statement has the texts of D26"):
        complete()
    assert "D27" in TENANT_STATEMENTS


def test_texts_of_one_id_are_in_one_file(tmp_path: Path) -> None:
    """A second file does not silently replace the texts of the first."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('[D01]\ntitle = "t"\n')
    with pytest.raises(ValueError, match=r"b\.toml repeats the id D01"):
        read_texts(tmp_path)


@pytest.mark.parametrize(
    ("statement_id", "values"),
    [
        ("D05", [EVENT_SERVICE_APP_ID]),
        ("D11", [EVENT_SERVICE_APP_ID]),
        ("D12", [ALLOWED_TENANTS]),
        ("D26", [f"{MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS} or null", f"0 to {MAX_RETRIES} or null"]),
        ("D27", [f"is {MAX_TIMEOUT_MS} ms", f"is {DEFAULT_TIMEOUT_MS} ms"]),
        ("D29", [f"below {calls.RESERVE_MS} ms"]),
        ("D32", [EVENT_SERVICE_APP_ID]),
        ("D33", [EVENT_SERVICE_APP_ID]),
        ("D34", [GRAPH_APP_ID]),
        ("D40", [RECEIVE_PAYLOAD_ROLE_ID]),
        ("D41", [RECEIVE_PAYLOAD_ROLE_ID]),
        ("D50", [f"hold {listener.MAX_EXTENSIONS} custom"]),
        ("D51", [f"({listener.MAX_LISTENERS})"]),
        ("D52", [f"have {listener.MAX_ASSIGNMENTS} pairs"]),
        ("D67", [f"for {target.KEY_DAYS} days", f"{target.KEY_DAYS} days ahead"]),
        ("D54", [f"{MAX_EXTERNAL_CALLS_PER_S} requests a second"]),
        ("D79", [NAME_ID_CLAIM_TYPE]),
        ("D85", [f"{endpoint.CERTIFICATE_DAYS} days"]),
        ("D87", [f"{endpoint.SHARE:.0%} of"]),
        ("D89", [f"{endpoint.COLD_MS} ms"]),
        ("D90", [f"{endpoint.SKEW_S} seconds"]),
    ],
)
def test_texts_have_the_values_that_are_compared(statement_id: str, values: list[str]) -> None:
    """The numbers and ids in the texts are those of the code."""
    one = TENANT_STATEMENTS[statement_id]
    texts = "\n".join(filter(None, (one.source, one.why, one.explain, one.bad, one.good)))
    assert not [value for value in values if value not in texts]


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


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: str(code.code))
def test_code_that_takes_a_file_says_how_it_is_made(code: Code) -> None:
    """The command before it writes the file."""
    if "doctor --file FILE" in code.commands:
        place = code.commands.index("doctor --file FILE")
        assert code.commands[place - 1] == "doctor --tenant TENANT --credential browser --export FILE"


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

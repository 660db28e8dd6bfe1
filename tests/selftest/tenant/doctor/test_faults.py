"""A healthy tenant gives no finding, and each planted fault exactly its own."""

from pathlib import Path

import pytest

from selftest.tenant.doctor.statements import TENANT_STATEMENTS
from tests.checkout import ROOT
from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.selftest.tenant.doctor.doctor_input import APP, OTHER, TENANT, DoctorInput, examined, found, hinted
from tests.selftest.tenant.doctor.faults import FAULTS, Fault


def test_healthy_tenant_has_nothing(tmp_path: Path) -> None:
    """No finding, no hint, and the verdict is PASS."""
    examination = examined(DoctorInput(), tmp_path)

    assert found(examination) == {}
    assert hinted(examination) == set()
    assert examination.diagnosis.exit_code == 0
    assert examination.diagnosis.sentence.startswith("PASS  ")


def test_healthy_external_tenant_has_nothing(tmp_path: Path) -> None:
    """A tenant for customers, with its own authority: its limit is the hint; that no user flow is read is said."""
    subject = DoctorInput(tenant=healthy_tenant(tenant_type="external"))
    subject.env["AuthenticationEvents__AuthorityUrl"] = f"https://sample.ciamlogin.com/{TENANT}"
    examination = examined(subject, tmp_path)

    assert found(examination) == {}
    assert hinted(examination) == {"D54"}
    assert "user flow" in next(lack.reason for one, lack in examination.diagnosis.skipped if one.statement.id == "D66")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_planted_fault_is_found_and_no_other(fault: Fault, tmp_path: Path) -> None:
    """The doctor names the statement and the code, once, and hints at nothing that is not there."""
    subject = DoctorInput()
    fault.plant(subject)
    if "D01" in fault.found:
        subject.flags += ["--app-dir", str(ROOT)]
    examination = examined(subject, tmp_path)

    assert found(examination) == fault.found
    assert hinted(examination) == fault.hints
    assert examination.diagnosis.exit_code == (1 if fault.found else 0)
    assert not [one for one in examination.diagnosis.results if one.status == "error"]


def _unmapped(subject: DoctorInput) -> None:
    subject.principal(APP)["claimsMappingPolicies"] = []
    subject.tenant["claimsMappingPolicies"] = []


def test_file_that_cannot_show_the_portals_mapping_is_inconclusive(tmp_path: Path) -> None:
    """Graph v1.0 does not show Attributes & Claims, so a file of it without any policy proves nothing."""
    subject = DoctorInput()
    _unmapped(subject)
    diagnosis = examined(subject, tmp_path).diagnosis

    assert found(diagnosis) == {}
    assert diagnosis.exit_code == 3
    assert "Attributes & Claims" in next(lack.reason for one, lack in diagnosis.skipped if one.statement.id == "D70")


@pytest.mark.parametrize(("claims", "ids"), [([], {"D70": None}), ([{"name": "CustomRoles"}], {})])
def test_portals_mapping_that_was_read_counts(claims: list[object], ids: dict[str, None], tmp_path: Path) -> None:
    """With it, a finding is certain, or there is none."""
    subject = DoctorInput()
    _unmapped(subject)
    subject.principal(APP)["claimsPolicy"] = {"id": OTHER, "claims": claims}

    assert found(examined(subject, tmp_path)) == ids


def test_every_statement_on_files_can_fail() -> None:
    """Of the statements that need neither Graph nor the endpoint, each is shown able to fail here."""
    planted = {name for fault in FAULTS for name in (*fault.found, *fault.hints)}
    elsewhere = {"D11", "D14", "D15", "D25", "D52", "D66"} | {
        name for name, one in TENANT_STATEMENTS.items() if "probe" in one.needs
    }

    assert set(TENANT_STATEMENTS) - planted - elsewhere == set()

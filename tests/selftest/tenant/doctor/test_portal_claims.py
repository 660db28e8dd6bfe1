"""The portal's Attributes & Claims is judged as a claims mapping policy is, as far as its shape is documented."""

import json
from pathlib import Path
from typing import Any

import pytest

from selftest.tenant.doctor.diagnosis import Diagnosis
from selftest.tenant.doctor.sources.export import exported
from tests.selftest.tenant.doctor.doctor_input import APP, DoctorInput, examined, found, hinted

RETURNED = ("ApiVersion", "CorrelationId", "CustomRoles", "DateOfBirth")
PROVIDER = "CustomClaimsProvider"


def attribute(name: str, source: str = PROVIDER) -> dict[str, Any]:
    """Give a sourced attribute, as beta of Graph writes it."""
    kind = "#microsoft.graph.sourcedAttribute"
    return {"@odata.type": kind, "id": name, "source": source, "isExtensionAttribute": False}


def claim(of: str, *, source: str = PROVIDER, formats: tuple[str, ...] = ("jwt",), **more: Any) -> dict[str, Any]:
    """Give a claim under its own name."""
    configuration: dict[str, Any] = {"condition": None, "attribute": attribute(of, source), "transformations": []}
    return {
        "@odata.type": "#microsoft.graph.customClaim",
        "name": of,
        "namespace": None,
        "tokenFormat": list(formats),
        "configurations": [configuration],
    } | more


def mapped(*claims: dict[str, Any]) -> DoctorInput:
    """Give a tenant in which the portal maps these claims, without any policy."""
    subject = DoctorInput()
    subject.tenant["claimsMappingPolicies"] = []
    subject.principal(APP).update(claimsMappingPolicies=[], claimsPolicy={"claims": list(claims)})
    return subject


def _all_but(*changed: dict[str, Any]) -> DoctorInput:
    left = [claim(name) for name in RETURNED[len(changed) :]]
    return mapped(*changed, *left)


def _reason(diagnosis: Diagnosis, statement_id: str) -> str:
    return next(lack.reason for one, lack in diagnosis.skipped if one.statement.id == statement_id)


_JOINED = {
    "@odata.type": "#microsoft.graph.joinTransformation",
    "input": {"treatAsMultiValue": False, "attribute": attribute("ApiVersion")},
    "input2": {"attribute": {"@odata.type": "#microsoft.graph.valueBasedAttribute", "value": "secret"}},
}
_TRANSFORMED = claim("Joined", configurations=[{"attribute": None, "transformations": [_JOINED]}])
_TWICE = claim("ApiVersion", configurations=[{"attribute": attribute("ApiVersion")}] * 2)
_NAME_ID = claim("ApiVersion") | {"@odata.type": "#microsoft.graph.samlNameIdClaim", "name": None, "tokenFormat": None}
_OF_ENTRA = claim(
    "upn", source="user", formats=("saml",), namespace="http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
)


@pytest.mark.parametrize(
    "subject",
    [
        _all_but(),
        _all_but(_TRANSFORMED),
        _all_but(_TWICE),
        _all_but(claim("ApiVersion", formats=())),
        _all_but(claim("customclaimsprovider.ApiVersion", source="customclaimsprovider", name="ApiVersion")),
        mapped(*map(claim, RETURNED), _OF_ENTRA),
    ],
    ids=["all", "transformed", "configured twice", "without a format", "as the portal shows it", "and Entra's own"],
)
def test_whole_mapping_has_nothing(subject: DoctorInput, tmp_path: Path) -> None:
    """The statements pass, and those of policies do not count."""
    examination = examined(subject, tmp_path)
    held = {one.statement.id for one in examination.diagnosis.results if one.holds}

    assert (found(examination), hinted(examination)) == ({}, set())
    assert examination.diagnosis.verdict == "PASS"
    assert held >= {"D68", "D69", "D70", "D73", "D74", "D75", "D76", "D79"}
    assert not held & {"D71", "D72"}


@pytest.mark.parametrize(
    ("subject", "faults", "hints"),
    [
        (_all_but(claim("apiVersion")), {"D74"}, set()),
        (_all_but(claim("ApiVersion", formats=("saml",))), {"D69"}, set()),
        (_all_but(claim("ApiVersion", name="roles")), {"D75"}, set()),
        (_all_but(claim("ApiVersion", name="version ")), {"D76"}, set()),
        (_all_but(_OF_ENTRA), set(), {"D68"}),
        (mapped(*map(claim, RETURNED), _NAME_ID), {"D79"}, set()),
        (mapped(claim("mail", source="user")), {"D73"}, set()),
        (mapped(claim("CustomRoles", formats=("saml",))), {"D69"}, {"D68"}),
    ],
    ids=["case", "format", "restricted", "space", "not mapped", "NameID", "another source", "only for SAML"],
)
def test_fault_in_the_portals_claims_is_found(
    subject: DoctorInput, faults: set[str], hints: set[str], tmp_path: Path
) -> None:
    """It is the same as in a policy, and the fix is in the portal."""
    diagnosis = examined(subject, tmp_path).diagnosis

    assert (set(found(diagnosis)), hinted(diagnosis)) == (faults, hints)
    assert all("Attributes & Claims: " in one.fix_of(finding) for one, finding in diagnosis.faults + diagnosis.hints)


@pytest.mark.parametrize("change", [{"configurations": None}, {"configurations": [{"attribute": attribute("a", "x")}]}])
def test_source_that_is_not_known_is_no_pass(change: dict[str, Any], tmp_path: Path) -> None:
    """A file of an older export has no sources; an undocumented source proves nothing."""
    diagnosis = examined(_all_but(claim("ApiVersion", **change)), tmp_path).diagnosis

    assert diagnosis.verdict == "INCONCLUSIVE"
    assert "'ApiVersion'" in _reason(diagnosis, "D73")


def test_policy_that_was_not_read_is_no_pass(tmp_path: Path) -> None:
    """Nothing is said of a policy that is assigned and is not in the file."""
    subject = DoctorInput()
    subject.tenant["claimsMappingPolicies"] = []
    diagnosis = examined(subject, tmp_path).diagnosis

    assert diagnosis.verdict == "INCONCLUSIVE"
    assert "is assigned" in _reason(diagnosis, "D72")


def test_export_keeps_what_is_judged_and_no_constant(tmp_path: Path) -> None:
    """The exported file gives the same result."""
    subject = _all_but(_TRANSFORMED)
    subject.tenant = exported(subject.tenant)

    assert "secret" not in json.dumps(subject.tenant)
    assert examined(subject, tmp_path).diagnosis.verdict == "PASS"

"""The application that gets the token: the fix depends on what was read, and no statement claims more than that."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from selftest.tenant.doctor.diagnosis import Diagnosis
from selftest.tenant.doctor.text import show
from tests.selftest.tenant.doctor.doctor_input import APP, DoctorInput, examined
from tests.selftest.tenant.doctor.faults import app, extension, principal, several

_EXPIRED = {"usage": "Sign", "startDateTime": "2022-01-01T00:00:00Z", "endDateTime": "2023-01-01T00:00:00Z"}
_KEY_EXPIRED = several(principal(APP, "keyCredentials", [_EXPIRED]), app(APP, "api.acceptMappedClaims", None))
_SEVERAL = app(APP, "signInAudience", "AzureADMultipleOrgs")


def _diagnosed(tmp_path: Path, *plants: Callable[[DoctorInput], object]) -> Diagnosis:
    subject = DoctorInput()
    several(*plants)(subject)
    return examined(subject, tmp_path).diagnosis


def _held(diagnosis: Diagnosis) -> set[str]:
    return {one.statement.id for one in diagnosis.results if one.holds}


def test_first_line_names_what_a_hint_can_cause(tmp_path: Path) -> None:
    """PASS stays PASS, and whoever has that error is led to the hint."""
    diagnosis = _diagnosed(tmp_path, app(APP, "identifierUris", [f"api://{APP}"]))

    assert (diagnosis.verdict, diagnosis.exit_code) == ("PASS", 0)
    assert diagnosis.sentence.endswith(
        "; 1 hint, which can be the cause of AADSTS501461 AcceptMappedClaims audience (D63)"
    )
    ((one, finding),) = diagnosis.hints
    assert f"{APP}/.default" in one.fix_of(finding)
    assert "requestedAccessTokenVersion" not in one.fix_of(finding)


def test_hint_without_a_code_is_counted(tmp_path: Path) -> None:
    """It is no cause of an error."""
    diagnosis = _diagnosed(tmp_path, extension("claimsForTokenConfiguration", [{"claimIdInApiResponse": "x"}]))

    assert diagnosis.sentence.endswith(" 1 hint")


def test_statement_with_a_hint_is_not_listed_as_ok(tmp_path: Path) -> None:
    """The list of what passed has no title that the hint contradicts."""
    console = Console(record=True, width=200)
    diagnosis = _diagnosed(tmp_path, app(APP, "identifierUris", [f"api://{APP}"]))
    show(diagnosis, console, about=(), branches=(), verbose=True)
    lines = console.export_text().splitlines()

    assert any(line.startswith("ok    D62") for line in lines)
    assert not any(line.startswith("ok    D63") for line in lines)


def test_expired_key_of_one_tenant_needs_no_new_key(tmp_path: Path) -> None:
    """The first step, and the command, is acceptMappedClaims; D61 is not true there."""
    diagnosis = _diagnosed(tmp_path, _KEY_EXPIRED)
    ((one, finding),) = diagnosis.faults

    assert "acceptMappedClaims" in (finding.command or "")
    assert one.fix_of(finding).index("acceptMappedClaims") < one.fix_of(finding).index("place a new one")
    assert "D61" not in _held(diagnosis)


def test_expired_key_of_several_tenants_is_replaced(tmp_path: Path) -> None:
    """One way to a new key: the commands of the code."""
    diagnosis = _diagnosed(tmp_path, _KEY_EXPIRED, _SEVERAL)
    ((one, finding),) = diagnosis.faults

    assert finding.command is None
    assert "explain AADSTS50146" in one.fix_of(finding)
    assert "D61" not in _held(diagnosis)


@pytest.mark.parametrize("plants", [(), (_SEVERAL,)])
def test_nothing_is_said_of_keys_that_are_not_there(
    plants: tuple[Callable[[DoctorInput], object], ...], tmp_path: Path
) -> None:
    """Without a key, D67 does not apply."""
    assert "D67" not in _held(_diagnosed(tmp_path, *plants))

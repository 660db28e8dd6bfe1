"""App Service Authentication in front of the app: what it lets in, against the settings and the registration."""

import json
from pathlib import Path
from typing import Any

import pytest

from claims.contract import EVENT_SERVICE_APP_ID
from selftest.base.bounded_file import FileError
from selftest.cli import parser
from selftest.tenant.doctor.examination import Examination, examine
from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.selftest.tenant.doctor.doctor_input import (
    API,
    OTHER,
    TENANT,
    DoctorInput,
    examined,
    found,
    healthy_settings,
    hinted,
)

HOST = "claims.sample.example"
URI = f"api://{HOST}/{API}"
V2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"
V1 = f"https://sts.windows.net/{TENANT}/"
ALL = {"D11", "D14", "D15"}


def authsettings(
    *,
    allowed: object = (EVENT_SERVICE_APP_ID,),
    checked: object = None,
    client_id: str | None = API,
    audiences: object = None,
    issuer: str | None = V2,
    action: str = "Return401",
    enabled: bool = True,
) -> dict[str, Any]:
    """Return authsettingsV2 as ARM returns it."""
    validation = {
        "allowedAudiences": audiences,
        "defaultAuthorizationPolicy": {"allowedApplications": allowed},
        "jwtClaimChecks": {"allowedClientApplications": checked},
    }
    registration = {"clientId": client_id, "openIdIssuer": issuer}
    return {
        "properties": {
            "platform": {"enabled": enabled},
            "globalValidation": {"unauthenticatedClientAction": action},
            "identityProviders": {"azureActiveDirectory": {"registration": registration, "validation": validation}},
        }
    }


def with_easyauth(subject: DoctorInput, document: Any, directory: Path) -> tuple[set[str], set[str]]:
    """Return the ids of faults and hints."""
    file = directory / "auth.json"
    file.write_text(json.dumps(document))
    subject.flags += ["--easyauth", str(file)]
    examination = examined(subject, directory)
    assert not [one for one in examination.diagnosis.results if one.status == "error"]
    return set(found(examination)), hinted(examination)


@pytest.mark.parametrize(
    ("document", "ids", "hints"),
    [
        (authsettings(), set(), set()),
        (authsettings()["properties"], set(), set()),
        (authsettings(client_id=None, issuer=None), set(), set()),
        (authsettings(allowed=[API]), {"D11"}, set()),
        (authsettings(allowed=None), {"D11"}, set()),
        (authsettings(checked=[API]), {"D11"}, set()),
        (authsettings(checked=[API, EVENT_SERVICE_APP_ID]), set(), set()),
        (authsettings(allowed=[API], enabled=False), set(), set()),
        (authsettings(action="RedirectToLoginPage"), set(), {"D13"}),
        (authsettings(client_id=OTHER, audiences=["api://other"]), {"D14"}, set()),
        (authsettings(client_id=OTHER), {"D14"}, set()),
        (authsettings(client_id=None, audiences=[URI]), {"D14"}, set()),
        (authsettings(client_id=OTHER, audiences=[API.upper()]), set(), set()),
        (authsettings(issuer=V2.replace(TENANT, OTHER)), {"D15"}, set()),
        (authsettings(issuer=V1), {"D15"}, set()),
        (authsettings(issuer=V2.removesuffix("/v2.0")), {"D15"}, set()),
        (authsettings(issuer=f"https://sample.ciamlogin.com/{TENANT}/v2.0"), {"D15"}, set()),
        (authsettings(issuer=f"{V1}v2.0"), set(), set()),
        (authsettings(issuer=f"{V1}v2.0".replace(TENANT, OTHER)), {"D15"}, set()),
        (authsettings(issuer="https://login.microsoftonline.com/common/v2.0"), set(), set()),
        (authsettings(issuer="https://login.microsoftonline.com/sample.example/v2.0/"), set(), set()),
        (authsettings(issuer=f"https://login.microsoftonline.us/{TENANT}/v2.0"), set(), set()),
        (authsettings(client_id=OTHER, issuer=V1), {"D14", "D15"}, set()),
        (authsettings(issuer="https://[x"), {"D15"}, set()),
    ],
)
def test_app_service_authentication(document: Any, ids: set[str], hints: set[str], tmp_path: Path) -> None:
    """An endpoint whose tokens have version 2."""
    assert with_easyauth(DoctorInput(), document, tmp_path) == (ids, hints)


@pytest.mark.parametrize(
    ("document", "ids"),
    [
        (authsettings(audiences=[URI], issuer=V1), set()),
        (authsettings(audiences=[URI], issuer=V1.replace("sts.windows.net", "login.microsoftonline.com")), set()),
        (authsettings(audiences=[URI], issuer=f"{V1}v2.0"), set()),
        (authsettings(issuer=V1), {"D14"}),
        (authsettings(audiences=[URI]), {"D15"}),
    ],
)
@pytest.mark.parametrize("version", [None, 1])
def test_tokens_of_version_1(document: Any, ids: set[str], version: int | None, tmp_path: Path) -> None:
    """The audience is the identifier URI, and the issuer that of version 1."""
    subject = DoctorInput()
    subject.app(API)["api"]["requestedAccessTokenVersion"] = version
    subject.env["Claims__ApplicationIdUri"] = URI
    assert with_easyauth(subject, document, tmp_path)[0] == ids


@pytest.mark.parametrize(
    ("issuer", "ids"), [(f"https://sample.ciamlogin.com/{TENANT}/v2.0", set()), (V2, {"D15"}), (f"{V1}v2.0", {"D15"})]
)
def test_external_tenant(issuer: str, ids: set[str], tmp_path: Path) -> None:
    """A tenant for customers has its own host."""
    subject = DoctorInput(tenant=healthy_tenant(tenant_type="external"))
    subject.env["AuthenticationEvents__AuthorityUrl"] = f"https://sample.ciamlogin.com/{TENANT}"
    assert with_easyauth(subject, authsettings(issuer=issuer), tmp_path)[0] == ids


@pytest.mark.parametrize(
    ("document", "ids"),
    [
        (authsettings(), set()),
        (authsettings(issuer=V1), set()),
        (authsettings(client_id=OTHER, audiences=["api://other"]), {"D14"}),
        (authsettings(issuer=V2.replace(TENANT, OTHER)), {"D15"}),
    ],
)
def test_settings_alone(document: Any, ids: set[str], tmp_path: Path) -> None:
    """Without the tenant the settings name audience and tenant; the version of tokens is then not known."""
    settings, easyauth = tmp_path / "settings.json", tmp_path / "auth.json"
    settings.write_text(json.dumps({"Values": healthy_settings()}))
    easyauth.write_text(json.dumps(document))
    args = parser().parse_args(["doctor", "--settings", str(settings), "--easyauth", str(easyauth)])
    assert set(found(examine(args, environ={}, directory=tmp_path))) == ids


def _alone(document: Any, tmp_path: Path, settings: dict[str, str] | None = None) -> Examination:
    file = tmp_path / "auth.json"
    file.write_text(json.dumps(document))
    flags = ["doctor", "--easyauth", str(file)]
    if settings is not None:
        (tmp_path / "settings.json").write_text(json.dumps({"Values": settings}))
        flags += ["--settings", str(tmp_path / "settings.json")]
    return examine(parser().parse_args(flags), environ={}, directory=tmp_path)


def test_file_alone_can_be_wrong_and_is_never_enough_for_a_pass(tmp_path: Path) -> None:
    """What needs no other evidence is judged; the rest says what it needs."""
    wrong, right = _alone(authsettings(allowed=[API]), tmp_path), _alone(authsettings(), tmp_path)
    off = _alone(authsettings(enabled=False), tmp_path)
    skipped = {one.statement.id: lack.reason for one, lack in right.diagnosis.skipped}

    assert set(found(wrong)) == {"D11"}
    assert right.diagnosis.verdict == off.diagnosis.verdict == "INCONCLUSIVE"
    assert "--settings" in skipped["D14"]
    assert "--settings" in skipped["D15"]
    assert right.about[-1] == f"easyauth   {tmp_path / 'auth.json'}"
    assert off.about[-1].endswith("(switched off)")


@pytest.mark.parametrize("authority", [f"https://login.microsoftonline.com/{TENANT}", ""])
@pytest.mark.parametrize(("allowed", "ids"), [(TENANT, set()), (OTHER, {"D12"})])
def test_tenant_is_known_from_settings_or_issuer(authority: str, allowed: str, ids: set[str], tmp_path: Path) -> None:
    """No live reading is needed to compare it with the allowed tenants."""
    settings = healthy_settings() | {
        "AuthenticationEvents__AuthorityUrl": authority,
        "WEBSITE_AUTH_AAD_ALLOWED_TENANTS": allowed,
    }
    diagnosis = _alone(authsettings(), tmp_path, settings).diagnosis

    assert set(found(diagnosis)) == ids
    assert "D12" not in {one.statement.id for one, _ in diagnosis.skipped}


def test_registration_in_another_tenant(tmp_path: Path) -> None:
    """Then the version of its tokens is not known, and either audience is taken."""
    subject = DoctorInput()
    subject.tenant["applications"].remove(subject.app(API))
    assert with_easyauth(subject, authsettings(client_id=OTHER, audiences=[URI], issuer=V1), tmp_path)[0] == set()


@pytest.mark.parametrize("text", ["{", "[]", '{"x": 1}', '{"platform": 1}', "[" * 100_000])
def test_other_files_are_no_authsettings(text: str, tmp_path: Path) -> None:
    """The error names the file."""
    file = tmp_path / "auth.json"
    file.write_text(text)

    with pytest.raises(FileError, match=r"auth\.json"):
        examined(DoctorInput(flags=["--easyauth", str(file)]), tmp_path)


def test_broken_json_has_its_place(tmp_path: Path) -> None:
    """As in any other file."""
    file = tmp_path / "auth.json"
    file.write_text('{\n"platform"')

    with pytest.raises(FileError, match=r"line 2, column \d+"):
        examined(DoctorInput(flags=["--easyauth", str(file)]), tmp_path)

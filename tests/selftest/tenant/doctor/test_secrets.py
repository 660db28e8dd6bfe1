"""Nothing that the doctor prints or writes holds a secret, a token or a person's name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftest.cli import main
from selftest.tenant.doctor.evidence.settings import showable, without_secrets
from selftest.tenant.doctor.sources.export import exported
from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.selftest.tenant.doctor.doctor_input import APP, DoctorInput, examined, found
from tests.selftest.tenant.doctor.faults import FAULTS

MARK = "MARKER-a-secret-or-a-name"
#: What Graph returns beside what a statement looks at, and people put into files.
PERSONAL: dict[str, Any] = {
    "owners": [{"displayName": MARK, "userPrincipalName": MARK}],
    "createdBy": {"user": {"displayName": MARK}},
    "notes": MARK,
    "description": MARK,
    "info": {"logoUrl": MARK, "supportUrl": MARK},
    "web": {"redirectUris": [f"https://x/?code={MARK}"]},
    "spa": {"redirectUris": [MARK]},
    "passwordCredentials": [{"displayName": MARK, "hint": MARK, "secretText": MARK}],
    "keyCredentials": [{"usage": "Verify", "key": MARK, "displayName": MARK, "customKeyIdentifier": MARK}],
    "notificationEmailAddresses": [MARK],
    "loginUrl": MARK,
    "tags": [MARK],
    "anythingNew": {"deep": [MARK]},
    "principalDisplayName": MARK,
    "access_token": MARK,
}


def marked() -> dict[str, Any]:
    """Give the healthy tenant with a marker in every member that nobody looks at."""
    tenant = healthy_tenant()
    for objects in tenant.values():
        for one in objects:
            one |= {name: value for name, value in PERSONAL.items() if name != "keyCredentials" or name in one}
            for part in one.values():
                _mark(part)
    extension = tenant["customAuthenticationExtensions"][0]
    extension["endpointConfiguration"]["targetUrl"] += f"?code={MARK}&clientId={MARK}"
    policy = tenant["claimsMappingPolicies"][0]
    document = json.loads(policy["definition"][0])
    document["ClaimsMappingPolicy"]["ClaimsSchema"].append({"Value": MARK, "JwtClaimType": "constant"})
    document["ClaimsMappingPolicy"]["ClaimsTransformations"] = [{"InputParameters": [{"Value": MARK}]}]
    policy["definition"] = [json.dumps(document)]
    tenant["users"] = [{"displayName": MARK}]
    return tenant


def _mark(value: Any) -> None:
    if isinstance(value, dict):
        value["addedByNobody"] = MARK
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _mark(inner)


def test_export_holds_what_is_looked_at_and_nothing_else() -> None:
    """The marked tenant, exported, holds no marker; the names of the query's members stay."""
    text = json.dumps(exported(marked()))

    assert MARK not in text
    assert "?code=redacted&clientId=redacted" in text


@pytest.mark.parametrize("fault", [one for one in FAULTS if "D01" not in one.found], ids=lambda fault: fault.name)
def test_export_is_diagnosed_alike(fault: Any, tmp_path: Path) -> None:
    """What was left out is missed by no statement."""
    subject = DoctorInput()
    fault.plant(subject)
    subject.tenant = exported(subject.tenant)

    assert found(examined(subject, tmp_path)) == fault.found


def _off(subject: DoctorInput) -> None:
    for one in subject.tenant["servicePrincipals"]:
        one["accountEnabled"] = False
        one["claimsMappingPolicies"] = []


def _wrong(subject: DoctorInput) -> None:
    subject.extension["endpointConfiguration"]["targetUrl"] = f"http://{MARK}:{MARK}@10.0.0.1/x?code={MARK}#{MARK}"
    subject.extension["authenticationConfiguration"]["resourceId"] = "api://x"
    for app in subject.tenant["applications"]:
        app["api"]["acceptMappedClaims"] = False
        app["api"]["requestedAccessTokenVersion"] = None
    subject.env = {
        "AuthenticationEvents__AuthorityUrl": f"https://{MARK}",
        "AuthenticationEvents__AudienceAppId": MARK,
        "AuthenticationEvents__AuthorizedPartyAppId": f"it's {MARK}",
        "Claims__TenantId": MARK,
        "Claims__AllowedExtensionIds": MARK,
        "Claims__AdditionalCallerAppIds": MARK,
        "Claims__ApplicationIdUri": f"{MARK}'",
        "Claims__BudgetMs": MARK,
        "Claims__Credential": MARK,
        "AZURE_CLIENT_SECRET": MARK,
        "WEBSITE_AUTH_ENABLED": "true",
        "WEBSITE_AUTH_AAD_ALLOWED_TENANTS": MARK,
    }


def _unreadable(subject: DoctorInput) -> None:
    subject.policy["definition"] = [f'{{"ClaimsMappingPolicy": {MARK}']


def _misshapen(subject: DoctorInput) -> None:
    subject.tenant["servicePrincipals"][0]["accountEnabled"] = MARK


@pytest.mark.parametrize("break_it", [lambda _: None, _off, _wrong, _unreadable, _misshapen])
def test_no_output_holds_a_marker(
    break_it: Callable[[DoctorInput], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text, JSON, JUnit, the directory and the export, for a tenant with everything wrong."""
    subject = DoctorInput(tenant=marked())
    subject.env["AZURE_CLIENT_SECRET"] = MARK
    break_it(subject)
    file, settings = tmp_path / "tenant.json", tmp_path / "settings.json"
    file.write_text(json.dumps(subject.tenant))
    settings.write_text(json.dumps({"Values": subject.env}))
    out = tmp_path / "out"
    common = ["doctor", "--file", str(file), "--settings", str(settings), "--app", APP, "--out", str(out)]

    main([*common, "-v", "--export", str(tmp_path / "export.json"), "--junit", str(tmp_path / "junit.xml")])
    main([*common, "--json"])

    file.unlink()
    settings.unlink()
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert MARK not in "".join((*written, *capsys.readouterr()))


def test_export_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file names a tenant's applications: nobody else on the machine reads it."""
    file, export = tmp_path / "tenant.json", tmp_path / "export.json"
    file.write_text(json.dumps(healthy_tenant()))

    assert main(["doctor", "--file", str(file), "--export", str(export)]) == 0
    assert export.stat().st_mode & 0o077 == 0
    assert main(["doctor", "--file", str(export)]) == 0


MESSAGES = [
    (
        "must be the tenant's id, got 'https://h.example/a!b/c'",
        ["https://h.example/a!b/c"],
        "got a value of 23 characters",
    ),
    ("must be true or false, got 'true'", ["true"], "must be true or false, got a value of 4 characters"),
    (
        "must be 'name' or 'source:claim', it's 'Secret1'",
        ["Secret1, a"],
        "'source:claim', it's a value of 7 characters",
    ),
    ("the tenant's key 'from a file's line' is bad", [], "the tenant's key a value of 18 characters is bad"),
    ("the tenant's key 'that was cut of", [], "the tenant's key a value of 15 characters"),
    ("names the claim 'zed' twice", ["a:zed,b:zed"], "names the claim a value of 3 characters twice"),
    ("is Secret1! without quotes", ["Secret1!"], "is a value of 8 characters without quotes"),
    ("got 'it's Secret1'", ["it's Secret1"], "got a value of 12 characters"),
    (f"must not be '{APP}'", [APP], f"must not be '{APP}'"),
    ("must be 100 to 1900, got '90'", ["90"], "must be 100 to 1900, got '90'"),
    ("must be 1 to 2000000000, got '1000000000'", ["1000000000"], "2000000000, got a value of 10 characters"),
]


@pytest.mark.parametrize(("message", "values", "shown"), MESSAGES)
def test_values_are_redacted_as_values(message: str, values: list[str], shown: str) -> None:
    """A message keeps its own words and apostrophes, and loses the values, in quotes or not."""
    assert without_secrets(message, values).endswith(shown)


@given(value=st.text(min_size=4).filter(lambda text: text.strip() == text and not text.islower()))
def test_no_value_survives_in_a_message(value: str) -> None:
    """Whatever the value is, the message is not cut, and has the value only if that may be shown."""
    message = without_secrets(f"X must be the tenant's id, got '{value}'; set it", [value])

    assert message.endswith("; set it")
    assert message in {
        f"X must be the tenant's id, got '{value}'; set it",
        f"X must be the tenant's id, got a value of {len(value)} characters; set it",
    }
    assert showable(value) == value or f"'{value}'" not in message

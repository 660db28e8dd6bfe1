"""Tenants that are right in other ways than the sample: the doctor has nothing to say about any of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.selftest.tenant.doctor.doctor_input import API, APP, OTHER, TENANT, DoctorInput, examined, found, hinted
from tests.selftest.tenant.doctor.faults import app, extension, several
from tests.selftest.tenant.doctor.test_easyauth import HOST, URI, V1, authsettings, with_easyauth

_VALID = {"usage": "Sign", "startDateTime": "2024-01-01T00:00:00Z", "endDateTime": "2090-01-01T00:00:00Z"}
_EXPIRED = _VALID | {"endDateTime": "2025-01-01T00:00:00Z"}


def _keys(*keys: dict[str, str]) -> Callable[[DoctorInput], None]:
    return lambda it: it.principal(APP).update(keyCredentials=list(keys))


def _upper_case_ids(subject: DoctorInput) -> None:
    text = json.dumps(subject.tenant)
    for used in (API, APP, TENANT):
        text = text.replace(used, used.upper())
    subject.tenant = json.loads(text)


def _saml(subject: DoctorInput) -> None:
    subject.principal(APP)["preferredSingleSignOnMode"] = "saml"
    subject.app(APP)["api"]["acceptMappedClaims"] = None
    subject.schema({place: {"SamlClaimType": f"http://claims.example/{place}"} for place in range(4)})
    _keys(_EXPIRED)(subject)


def _two_applications(subject: DoctorInput) -> None:
    second = {**subject.app(APP), "appId": OTHER}
    subject.tenant["applications"].append(second)
    subject.tenant["servicePrincipals"].append({**subject.principal(APP), "id": OTHER, "appId": OTHER})
    subject.listener["conditions"]["applications"]["includeApplications"].append({"appId": OTHER})


def _other_events(subject: DoctorInput) -> None:
    kind = "#microsoft.graph.onAttributeCollectionStart"
    other = {**subject.extension, "@odata.type": f"{kind}CustomExtension", "id": OTHER, "displayName": "Another"}
    subject.tenant["customAuthenticationExtensions"].append(other)
    listener = {**subject.listener, "@odata.type": f"{kind}Listener", "id": OTHER, "displayName": "x"}
    listener["handler"] = {"@odata.type": f"{kind}CustomExtensionHandler", "customExtension": {"id": OTHER}}
    subject.tenant["authenticationEventListeners"].append(listener)


def _endpoint_of_another_tenant(subject: DoctorInput) -> None:
    subject.tenant["applications"].remove(subject.app(API))
    subject.principal(API)["appOwnerOrganizationId"] = OTHER


def _version_1(subject: DoctorInput) -> None:
    subject.app(API)["api"]["requestedAccessTokenVersion"] = None
    subject.env["Claims__ApplicationIdUri"] = URI


VARIANTS: dict[str, Callable[[DoctorInput], object]] = {
    "ids in upper case": _upper_case_ids,
    "a key was rolled": several(_keys(_EXPIRED, _VALID), app(APP, "api.acceptMappedClaims", None)),
    "a key without dates": several(_keys({"usage": "Sign"}), app(APP, "api.acceptMappedClaims", None)),
    "an expired certificate of the client": _keys(_EXPIRED | {"usage": "Verify"}),
    "several tenants with a key": several(_keys(_VALID), app(APP, "signInAudience", "AzureADMultipleOrgs")),
    "a SAML application": _saml,
    "two applications": _two_applications,
    "extensions of other events": _other_events,
    "an endpoint registered elsewhere": _endpoint_of_another_tenant,
    "tokens of version 1": _version_1,
    "a function key in the URL": extension("endpointConfiguration.targetUrl", f"https://{HOST}/api/x?code=abc"),
    "a verified identifier": app(APP, "identifierUris", ["https://portal.sample.example/x"]),
    "never disabled": several(
        app(APP, "disabledByMicrosoftStatus", "NotDisabled"), app(API, "isDisabled", value=False)
    ),
    "several identifiers": app(API, "identifierUris", [f"api://{API}", URI, "api://old.sample.example/x"]),
}


@pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS)
def test_variant_has_nothing(change: Callable[[DoctorInput], object], tmp_path: Path) -> None:
    """No finding, no hint, and PASS."""
    subject = DoctorInput()
    change(subject)
    examination = examined(subject, tmp_path)

    assert (found(examination), hinted(examination)) == ({}, set())
    assert examination.diagnosis.verdict == "PASS"


@pytest.mark.parametrize("issuer", [f"{V1}v2.0", f"https://login.microsoftonline.com/{TENANT}/v2.0"])
def test_variant_behind_app_service_authentication(issuer: str, tmp_path: Path) -> None:
    """Both forms of the issuer that the portal writes."""
    assert with_easyauth(DoctorInput(), authsettings(issuer=issuer), tmp_path) == (set(), set())


def test_external_variant_behind_app_service_authentication(tmp_path: Path) -> None:
    """A tenant for customers."""
    subject = DoctorInput(tenant=healthy_tenant(tenant_type="external"))
    subject.env["AuthenticationEvents__AuthorityUrl"] = f"https://sample.ciamlogin.com/{TENANT}"
    document = authsettings(issuer=f"https://sample.ciamlogin.com/{TENANT}/v2.0", audiences=[URI])
    assert with_easyauth(subject, document, tmp_path) == (set(), {"D54"})

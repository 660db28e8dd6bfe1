"""The documented varieties of the callout."""

import json
from typing import Any

import pytest

from claims.contract import CALLOUT_DATA_TYPE, EVENT_TYPE
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.payloads import VARIETIES, UnknownVarietyError, Variety, variety

CORRELATION_ID = "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"

#: The members of ``user`` in each published sample: no more, no fewer.
USER_MEMBERS = {
    "member": "companyName createdDateTime displayName givenName id mail preferredLanguage surname "
    "userPrincipalName userType",
    "hybrid": "companyName createdDateTime displayName givenName id mail onPremisesSamAccountName "
    "onPremisesSecurityIdentifier onPremisesUserPrincipalName preferredLanguage surname userPrincipalName userType",
    "guest": "companyName createdDateTime displayName id mail preferredDataLocation userPrincipalName userType",
    "external-local": "displayName id userPrincipalName userType",
    "external-social": "displayName id mail userType",
    "saml": "companyName createdDateTime displayName givenName id mail preferredLanguage surname "
    "userPrincipalName userType",
    "other-resource": "companyName createdDateTime displayName givenName id mail preferredLanguage surname "
    "userPrincipalName userType",
}


def _context(name: str) -> dict[str, Any]:
    context: dict[str, Any] = variety(name).build(DEFAULT_TENANT, CORRELATION_ID)["data"]["authenticationContext"]
    return context


def test_all_varieties_are_there() -> None:
    """The seven documented varieties exist, each once."""
    assert [known.id for known in VARIETIES] == list(USER_MEMBERS)


@pytest.mark.parametrize("known", VARIETIES, ids=lambda known: known.id)
def test_envelope(known: Variety) -> None:
    """Every variety has the documented envelope, with the tenant's ids and the given correlation id."""
    event = known.build(DEFAULT_TENANT, CORRELATION_ID)
    data = event["data"]
    assert list(event) == ["type", "source", "data"]
    assert event["type"] == EVENT_TYPE
    assert event["source"] == f"/tenants/{DEFAULT_TENANT.tenant_id}/applications/{DEFAULT_TENANT.client.app_id}"
    assert data["@odata.type"] == CALLOUT_DATA_TYPE
    assert data["tenantId"] == DEFAULT_TENANT.tenant_id
    assert data["authenticationEventListenerId"] == DEFAULT_TENANT.listener_id
    assert data["customAuthenticationExtensionId"] == DEFAULT_TENANT.extension_id
    assert data["authenticationContext"]["correlationId"] == CORRELATION_ID
    assert json.loads(json.dumps(event)) == event


@pytest.mark.parametrize("known", VARIETIES, ids=lambda known: known.id)
def test_context_members(known: Variety) -> None:
    """The context has the members of the samples, requestType is in none of them, and locales are lower case."""
    context = _context(known.id)
    assert list(context) == [
        "correlationId",
        "client",
        "protocol",
        "clientServicePrincipal",
        "resourceServicePrincipal",
        "user",
    ]
    assert context["client"]["locale"] == context["client"]["market"] == "en-us"
    for principal in ("clientServicePrincipal", "resourceServicePrincipal"):
        assert list(context[principal]) == ["id", "appId", "appDisplayName", "displayName"]


@pytest.mark.parametrize("name", USER_MEMBERS)
def test_user_members(name: str) -> None:
    """The user has exactly the members of the published sample, none of them null."""
    user = _context(name)["user"]
    assert sorted(user) == sorted(USER_MEMBERS[name].split())
    assert all(isinstance(value, str) and value for value in user.values())


def test_guest_keeps_the_home_name() -> None:
    """A guest's userPrincipalName has the #EXT# form, and its type is Guest."""
    user = _context("guest")["user"]
    assert "#EXT#@" in user["userPrincipalName"]
    assert user["userType"] == "Guest"


def test_local_account_is_named_after_its_object_id() -> None:
    """A customer's userPrincipalName is the object id in the tenant's domain."""
    user = _context("external-local")["user"]
    assert user["userPrincipalName"] == f"{user['id']}@{DEFAULT_TENANT.domain}"


def test_one_client_comes_over_ipv6() -> None:
    """Addresses of both families occur."""
    families = {":" in _context(known.id)["client"]["ip"] for known in VARIETIES}
    assert families == {True, False}


def test_resource_differs_for_another_api_only() -> None:
    """The resource is the client itself, but for the sign-in that asks for another API."""
    for known in VARIETIES:
        context = _context(known.id)
        same = context["clientServicePrincipal"] == context["resourceServicePrincipal"]
        assert same == (known.id != "other-resource")


def test_saml_is_named_so() -> None:
    """Only the SAML sign-in has that protocol."""
    protocols = {known.id: _context(known.id)["protocol"] for known in VARIETIES}
    assert protocols.pop("saml") == "SAML"
    assert set(protocols.values()) == {"OAUTH2.0"}


def test_users_are_different_people() -> None:
    """No two kinds of user share an object id."""
    names = ("member", "hybrid", "guest", "external-local", "external-social")
    assert len({_context(name)["user"]["id"] for name in names}) == len(names)


def test_every_build_is_fresh() -> None:
    """Changing one event changes no other: a check may edit what it gets."""
    _context("member")["user"].clear()
    assert _context("member")["user"]


def test_unknown_variety_lists_the_known() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(UnknownVarietyError, match=r"'guests'.*member, hybrid, guest"):
        variety("guests")

"""The healthy tenant is consistent: every reference in it leads to an object in it."""

import json
from urllib.parse import urlsplit

import pytest

from claims.contract import EVENT_SERVICE_APP_ID
from selftest.base.sample_tenant import DEFAULT_TENANT, local_tenant
from selftest.judge.mapping import MappingPolicy
from selftest.tenant.graph.objects import GRAPH_APP_ID, RECEIVE_PAYLOAD_ROLE_ID, GraphObject, resource_id
from tests.emulated_graph.healthy_tenant import healthy_tenant


def _by(objects: list[GraphObject], member: str, value: str) -> GraphObject:
    (found,) = [each for each in objects if each[member] == value]
    return found


def test_it_is_json_of_lists() -> None:
    """It survives being written to a file, and every member is a list of objects with ids."""
    tenant = healthy_tenant()
    assert json.loads(json.dumps(tenant)) == tenant
    assert all(item["id"] for objects in tenant.values() for item in objects)


def test_every_call_returns_new_objects() -> None:
    """Breaking one tenant breaks no other, and an assigned policy is not the policy itself."""
    broken = healthy_tenant()
    broken["claimsMappingPolicies"][0]["displayName"] = "changed"
    assert healthy_tenant()["claimsMappingPolicies"][0]["displayName"] == "Sample claims"
    client = _by(broken["servicePrincipals"], "appId", DEFAULT_TENANT.client.app_id)
    assert client["claimsMappingPolicies"][0]["displayName"] == "Sample claims"


def test_extension_names_the_api_app() -> None:
    """Host and app id agree between target URL, resource id and identifier URI (1003014, 1003015, 1003016)."""
    tenant = healthy_tenant(host="claims.contoso.example")
    (extension,) = tenant["customAuthenticationExtensions"]
    resource = extension["authenticationConfiguration"]["resourceId"]
    target = urlsplit(extension["endpointConfiguration"]["targetUrl"])
    assert (target.scheme, target.hostname) == ("https", "claims.contoso.example")
    assert resource == resource_id("claims.contoso.example", DEFAULT_TENANT.audience_app_id)
    app = _by(tenant["applications"], "appId", DEFAULT_TENANT.audience_app_id)
    assert app["identifierUris"] == [resource]
    assert app["api"]["requestedAccessTokenVersion"] == 2
    assert resource in _by(tenant["servicePrincipals"], "appId", app["appId"])["servicePrincipalNames"]


def test_api_app_has_the_consent_that_it_asks_for() -> None:
    """The role asked for is the role granted, and Graph's service principal declares it (1003021)."""
    tenant = healthy_tenant()
    app = _by(tenant["applications"], "appId", DEFAULT_TENANT.audience_app_id)
    (access,) = app["requiredResourceAccess"]
    assert access == {
        "resourceAppId": GRAPH_APP_ID,
        "resourceAccess": [{"id": RECEIVE_PAYLOAD_ROLE_ID, "type": "Role"}],
    }
    principal = _by(tenant["servicePrincipals"], "appId", app["appId"])
    graph = _by(tenant["servicePrincipals"], "appId", GRAPH_APP_ID)
    (consent,) = principal["appRoleAssignments"]
    assert (consent["principalId"], consent["resourceId"]) == (principal["id"], graph["id"])
    assert consent["appRoleId"] == _by(graph["appRoles"], "id", RECEIVE_PAYLOAD_ROLE_ID)["id"]


def test_listener_joins_the_client_and_the_extension() -> None:
    """The listener fires for the client app and names the extension that is there (1003011)."""
    tenant = healthy_tenant()
    (listener,), (extension,) = tenant["authenticationEventListeners"], tenant["customAuthenticationExtensions"]
    assert listener["handler"]["customExtension"] == {k: v for k, v in extension.items() if k != "@odata.type"}
    assert listener["conditions"]["applications"]["includeApplications"] == [{"appId": DEFAULT_TENANT.client.app_id}]


def test_client_app_gets_the_claims() -> None:
    """It accepts mapped claims, and its policy maps what the extension registers."""
    tenant = healthy_tenant(claims=["Level"])
    assert _by(tenant["applications"], "appId", DEFAULT_TENANT.client.app_id)["api"]["acceptMappedClaims"] is True
    (policy,) = _by(tenant["servicePrincipals"], "appId", DEFAULT_TENANT.client.app_id)["claimsMappingPolicies"]
    assert [policy] == tenant["claimsMappingPolicies"]
    assert [entry.id for entry in MappingPolicy.parse(policy).entries] == ["Level"]
    assert tenant["customAuthenticationExtensions"][0]["claimsForTokenConfiguration"] == [
        {"claimIdInApiResponse": "Level"}
    ]


def test_the_caller_is_there_and_enabled() -> None:
    """Entra's event service has a service principal (1003017, 1003018)."""
    caller = _by(healthy_tenant()["servicePrincipals"], "appId", EVENT_SERVICE_APP_ID)
    assert caller["accountEnabled"] is True
    assert caller["id"] == DEFAULT_TENANT.caller_object_id


@pytest.mark.parametrize(("kind", "expected"), [("workforce", "AAD"), ("external", "CIAM")])
def test_tenant_type(kind: str, expected: str) -> None:
    """Graph's word for the kind of tenant; its ids follow the given tenant."""
    tenant = local_tenant(tenant_id="abcdefab-0000-4000-8000-000000000000")
    (organization,) = healthy_tenant(tenant, tenant_type="external" if kind == "external" else "workforce")[
        "organization"
    ]
    assert (organization["tenantType"], organization["id"]) == (expected, tenant.tenant_id)
    assert organization["verifiedDomains"][0]["name"] == tenant.domain

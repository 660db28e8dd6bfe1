"""The bodies and the steps with which a claims provider is wired to a tenant, in the documented order."""

import json
from typing import Any

from claims.contract import EVENT_SERVICE_APP_ID
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.tenant.graph.objects import (
    AUTHENTICATION_TYPE,
    ENDPOINT_TYPE,
    EXTENSION_TYPE,
    GRAPH_APP_ID,
    HANDLER_TYPE,
    LISTENER_TYPE,
    RECEIVE_PAYLOAD_ROLE_ID,
    resource_id,
)
from tests.emulated_graph.healthy_tenant import CLIENT_APPLICATION_ID, DEFAULT_HOST, GRAPH_PRINCIPAL_ID, healthy_tenant
from tests.selftest.tenant.graph.plain_requests import EXTENSIONS, LISTENERS, POLICIES, PlainClient

UPSERT = {"Prefer": "create-if-missing"}
CLIENT = f"/servicePrincipals/{DEFAULT_TENANT.client.id}"
API_APP_ID = DEFAULT_TENANT.audience_app_id
RESOURCE = resource_id(DEFAULT_HOST, API_APP_ID)
VALIDATE = f"{EXTENSIONS}/validateAuthenticationConfiguration"
VALIDATE_ONE = f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}/validateAuthenticationConfiguration"
VERSION_1 = {"requestedAccessTokenVersion": 1}


def extension(resource: str = RESOURCE, url: str = f"https://{DEFAULT_HOST}/api", **more: Any) -> dict[str, Any]:
    """Return the body that creates an extension."""
    return {
        "@odata.type": EXTENSION_TYPE,
        "displayName": "x",
        "endpointConfiguration": {"@odata.type": ENDPOINT_TYPE, "targetUrl": url},
        "authenticationConfiguration": {"@odata.type": AUTHENTICATION_TYPE, "resourceId": resource},
    } | more


def listener(extension_id: str = DEFAULT_TENANT.extension_id, **more: Any) -> dict[str, Any]:
    """Return the body that creates a listener."""
    return {
        "@odata.type": LISTENER_TYPE,
        "conditions": {"applications": {"includeApplications": [{"appId": DEFAULT_TENANT.client.app_id}]}},
        "handler": {"@odata.type": HANDLER_TYPE, "customExtension": {"id": extension_id}},
    } | more


def policy(**more: Any) -> dict[str, Any]:
    """Return the body that creates a policy."""
    return {"displayName": "p", "definition": [json.dumps({"ClaimsMappingPolicy": {"Version": 1}})]} | more


def policy_that_maps(**entry: str) -> dict[str, Any]:
    """Return the body of a policy with one claim of the endpoint, ``groups``, and the target in ``entry``."""
    schema = [{"Source": "CustomClaimsProvider", "ID": "groups", **entry}]
    return policy(definition=[json.dumps({"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": schema}})])


def bare_tenant() -> dict[str, Any]:
    """Return a tenant with Graph's service principal and a client app, and nothing wired."""
    tenant = healthy_tenant()
    services = {GRAPH_APP_ID, EVENT_SERVICE_APP_ID, DEFAULT_TENANT.client.app_id}
    principals = [each | {"claimsMappingPolicies": []} for each in tenant["servicePrincipals"]]
    return {
        "organization": tenant["organization"],
        "applications": [each for each in tenant["applications"] if each["id"] == CLIENT_APPLICATION_ID],
        "servicePrincipals": [each for each in principals if each["appId"] in services],
    }


async def wire_up(graph: PlainClient) -> dict[str, int]:
    """Create everything in the documented order; return the status of each step."""
    steps: dict[str, int] = {}

    async def step(name: str, method: str, path: str, body: Any, **headers: Any) -> Any:
        reply = await graph.ask(method, path, body, **headers)
        steps[name] = reply.status
        return reply.body

    access = {"resourceAppId": GRAPH_APP_ID, "resourceAccess": [{"id": RECEIVE_PAYLOAD_ROLE_ID, "type": "Role"}]}
    wanted = {"displayName": "API", "api": {"requestedAccessTokenVersion": 2}, "requiredResourceAccess": [access]}
    app = await step("upsert", "PATCH", "/applications(uniqueName='api')", wanted, headers=UPSERT)
    await step("upsert again", "PATCH", "/applications(uniqueName='api')", wanted, headers=UPSERT)
    resource = resource_id(DEFAULT_HOST, app["appId"])
    await step("uris", "PATCH", f"/applications/{app['id']}", {"identifierUris": [resource]})
    principal = await step("principal", "POST", "/servicePrincipals", {"appId": app["appId"]})
    grant = {"principalId": principal["id"], "resourceId": GRAPH_PRINCIPAL_ID, "appRoleId": RECEIVE_PAYLOAD_ROLE_ID}
    await step("consent", "POST", f"/servicePrincipals/{principal['id']}/appRoleAssignments", grant)
    made = await step("extension", "POST", EXTENSIONS, extension(resource))
    await step("validate", "POST", f"{EXTENSIONS}/{made['id']}/validateAuthenticationConfiguration", None)
    mapping = await step("policy", "POST", POLICIES, policy())
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0{POLICIES}/{mapping['id']}"}
    await step("assign", "POST", f"{CLIENT}/claimsMappingPolicies/$ref", reference)
    client = {"api": {"acceptMappedClaims": True}}
    await step("client", "PATCH", f"/applications/{CLIENT_APPLICATION_ID}", client)
    await step("listener", "POST", LISTENERS, listener(made["id"]))
    return steps

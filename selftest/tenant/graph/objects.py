"""The Graph objects of a tenant in which a custom claims provider is wired as it should be.

Tests break one member of it and see what notices; the emulated Graph starts from it; it is also an example of what
``doctor --file`` reads. Every object is written as Graph v1.0 returns it, cut to the members that matter here.

Source: microsoft-graph-docs v1.0 ``resources/application.md``, ``resources/serviceprincipal.md``,
``resources/approleassignment.md``, ``resources/onTokenIssuanceStartCustomExtension.md``,
``resources/onTokenIssuanceStartListener.md``, ``resources/claimsMappingPolicy.md``, ``resources/organization.md``;
entra-docs ``custom-extension-tokenissuancestart-configuration.md``.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal

from selftest.base.sample_tenant import DEFAULT_TENANT, Tenant
from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS

type GraphObject = dict[str, Any]
type TenantType = Literal["workforce", "external"]

#: Microsoft Graph itself: the application whose role the endpoint's service principal is granted.
GRAPH_APP_ID: Final = "00000003-0000-0000-c000-000000000000"
#: ``CustomAuthenticationExtension.Receive.Payload``. Pages differ in the role's name and scrub its id; this is what
#: Graph's own list of permissions has.
RECEIVE_PAYLOAD_ROLE_ID: Final = "214e810f-fda8-4fd7-a475-29461495eb00"
RECEIVE_PAYLOAD_ROLE: Final = "CustomAuthenticationExtension.Receive.Payload"

EXTENSION_TYPE: Final = "#microsoft.graph.onTokenIssuanceStartCustomExtension"
LISTENER_TYPE: Final = "#microsoft.graph.onTokenIssuanceStartListener"
HANDLER_TYPE: Final = "#microsoft.graph.onTokenIssuanceStartCustomExtensionHandler"
ENDPOINT_TYPE: Final = "#microsoft.graph.httpRequestEndpoint"
AUTHENTICATION_TYPE: Final = "#microsoft.graph.azureAdTokenAuthentication"

#: A host that exists nowhere (RFC 2606). Entra wants a public name in the identifier URI and in the target URL.
DEFAULT_HOST: Final = "claims.sample.example"
#: The names that the sample provider answers with.
SAMPLE_CLAIMS: Final = ("CorrelationId", "ApiVersion", "DateOfBirth", "CustomRoles")

API_APPLICATION_ID: Final = "0a000000-0000-4000-8000-000000000001"
API_PRINCIPAL_ID: Final = "0a000000-0000-4000-8000-000000000002"
CLIENT_APPLICATION_ID: Final = "0a000000-0000-4000-8000-000000000003"
GRAPH_PRINCIPAL_ID: Final = "0a000000-0000-4000-8000-000000000004"
POLICY_ID: Final = "0a000000-0000-4000-8000-000000000005"
#: Graph's ids of app role assignments are no GUIDs.
CONSENT_ID: Final = "AAAKAAAAAECAAAAAAAAAAg-Y2xhaW1z"

_CREATED: Final = "2026-01-01T00:00:00Z"
#: Microsoft's own tenant, which owns the applications of its services.
MICROSOFT_TENANT_ID: Final = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"


def healthy_tenant(
    tenant: Tenant = DEFAULT_TENANT,
    *,
    host: str = DEFAULT_HOST,
    claims: Sequence[str] = SAMPLE_CLAIMS,
    tenant_type: TenantType = "workforce",
) -> dict[str, Any]:
    """Give a tenant's objects by kind, in the form that ``doctor --file`` reads.

    Every call gives objects of its own: change what you like.

    Args:
        tenant: whose ids to use; its client is the app that users sign in to.
        host: the public host name of the endpoint, in the identifier URI and in the target URL.
        claims: the names that the provider answers with, registered and mapped under the same names.
        tenant_type: ``external`` is a tenant for customers (Entra External ID).
    """
    extension = _extension(tenant, host, claims)
    policy = _policy(claims)
    objects = {
        "organization": [_organization(tenant, tenant_type)],
        "applications": [_api_application(tenant, host), _client_application(tenant)],
        "servicePrincipals": [
            _api_principal(tenant, host),
            new_principal(tenant.client.id, tenant.client.app_id, tenant.client.display_name, tenant.tenant_id)
            | {"claimsMappingPolicies": [policy]},
            _graph_principal(),
            new_principal(
                tenant.caller_object_id,
                tenant.caller_app_id,
                "Azure AD Authentication Extensions",
                MICROSOFT_TENANT_ID,
            ),
        ],
        "claimsMappingPolicies": [policy],
        "customAuthenticationExtensions": [extension],
        "authenticationEventListeners": [_listener(tenant, extension)],
    }
    # Through JSON, so that a policy and the same policy where it is assigned are two objects, as in Graph's answers.
    copied: dict[str, Any] = json.loads(json.dumps(objects))
    return copied


def resource_id(host: str, app_id: str) -> str:
    """Give the one form of identifier URI that Entra accepts for the endpoint's app registration."""
    return f"api://{host}/{app_id}"


def _organization(tenant: Tenant, tenant_type: TenantType) -> GraphObject:
    return {
        "id": tenant.tenant_id,
        "displayName": "Sample tenant",
        "tenantType": "CIAM" if tenant_type == "external" else "AAD",
        "verifiedDomains": [{"name": tenant.domain, "isDefault": True, "isInitial": True, "type": "Managed"}],
    }


def new_application(object_id: str, app_id: str, name: str) -> GraphObject:
    """Give an application registration as Graph makes one, but for the version of its tokens, which is 2."""
    return {
        "id": object_id,
        "appId": app_id,
        "displayName": name,
        "uniqueName": None,
        "createdDateTime": _CREATED,
        "signInAudience": "AzureADMyOrg",
        "identifierUris": [],
        "api": {
            "acceptMappedClaims": None,
            "requestedAccessTokenVersion": 2,
            "knownClientApplications": [],
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "keyCredentials": [],
        "passwordCredentials": [],
        "requiredResourceAccess": [],
    }


def _api_application(tenant: Tenant, host: str) -> GraphObject:
    application = new_application(API_APPLICATION_ID, tenant.audience_app_id, "Sample claims endpoint")
    access = {"id": RECEIVE_PAYLOAD_ROLE_ID, "type": "Role"}
    return application | {
        "uniqueName": "sample-claims-endpoint",
        "identifierUris": [resource_id(host, tenant.audience_app_id)],
        "requiredResourceAccess": [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": [access]}],
    }


def _client_application(tenant: Tenant) -> GraphObject:
    application = new_application(CLIENT_APPLICATION_ID, tenant.client.app_id, tenant.client.app_display_name)
    application["api"]["acceptMappedClaims"] = True
    return application


def new_principal(object_id: str, app_id: str, name: str, owner_tenant_id: str) -> GraphObject:
    """Give a service principal as Graph makes one for an application of a tenant."""
    return {
        "id": object_id,
        "appId": app_id,
        "displayName": name,
        "appDisplayName": name,
        "appOwnerOrganizationId": owner_tenant_id,
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [app_id],
        "preferredSingleSignOnMode": None,
        "keyCredentials": [],
        "appRoles": [],
        "appRoleAssignments": [],
        "claimsMappingPolicies": [],
    }


def _api_principal(tenant: Tenant, host: str) -> GraphObject:
    app_id = tenant.audience_app_id
    principal = new_principal(API_PRINCIPAL_ID, app_id, "Sample claims endpoint", tenant.tenant_id)
    consent = {
        "id": CONSENT_ID,
        "appRoleId": RECEIVE_PAYLOAD_ROLE_ID,
        "createdDateTime": _CREATED,
        "deletedDateTime": None,
        "principalId": API_PRINCIPAL_ID,
        "principalDisplayName": principal["displayName"],
        "principalType": "ServicePrincipal",
        "resourceId": GRAPH_PRINCIPAL_ID,
        "resourceDisplayName": "Microsoft Graph",
    }
    names = [app_id, resource_id(host, app_id)]
    return principal | {"servicePrincipalNames": names, "appRoleAssignments": [consent]}


def _graph_principal() -> GraphObject:
    role = {
        "id": RECEIVE_PAYLOAD_ROLE_ID,
        "value": RECEIVE_PAYLOAD_ROLE,
        "displayName": "Receive custom authentication extension HTTP requests",
        "description": "Lets the app be called by custom authentication extensions.",
        "allowedMemberTypes": ["Application"],
        "isEnabled": True,
        "origin": "Application",
    }
    principal = new_principal(GRAPH_PRINCIPAL_ID, GRAPH_APP_ID, "Microsoft Graph", MICROSOFT_TENANT_ID)
    return principal | {"appRoles": [role]}


def _policy(claims: Sequence[str]) -> GraphObject:
    schema = [{"Source": "CustomClaimsProvider", "ID": name, "JwtClaimType": name} for name in claims]
    inner = {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": schema}
    return {
        "id": POLICY_ID,
        "deletedDateTime": None,
        "displayName": "Sample claims",
        "description": None,
        "definition": [json.dumps({"ClaimsMappingPolicy": inner}, separators=(",", ":"))],
        "isOrganizationDefault": False,
    }


def _extension(tenant: Tenant, host: str, claims: Sequence[str]) -> GraphObject:
    return {
        "@odata.type": EXTENSION_TYPE,
        "id": tenant.extension_id,
        "displayName": "Sample claims endpoint",
        "description": "Adds claims to tokens",
        "endpointConfiguration": {
            "@odata.type": ENDPOINT_TYPE,
            "targetUrl": f"https://{host}/api/onTokenIssuanceStart",
        },
        "authenticationConfiguration": {
            "@odata.type": AUTHENTICATION_TYPE,
            "resourceId": resource_id(host, tenant.audience_app_id),
        },
        "clientConfiguration": {"timeoutInMilliseconds": MAX_TIMEOUT_MS, "maximumRetries": MAX_RETRIES},
        "behaviorOnError": None,
        "claimsForTokenConfiguration": [{"claimIdInApiResponse": name} for name in claims],
    }


def _listener(tenant: Tenant, extension: GraphObject) -> GraphObject:
    return {
        "@odata.type": LISTENER_TYPE,
        "id": tenant.listener_id,
        "displayName": "Sample claims endpoint",
        "authenticationEventsFlowId": None,
        "conditions": {"applications": {"includeApplications": [{"appId": tenant.client.app_id}]}},
        "handler": {
            "@odata.type": HANDLER_TYPE,
            "configuration": None,
            # Graph expands the extension by itself, and leaves out the type that the member has anyway.
            "customExtension": {name: value for name, value in extension.items() if name != "@odata.type"},
        },
    }

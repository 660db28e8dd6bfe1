"""The Graph objects of a tenant in which a custom claims provider is wired correctly.

Tests break one member of it and check what notices; the emulated Graph starts with it; it is also an example of what
``doctor --file`` reads. Every object is written as Graph v1.0 returns it, reduced to the members that matter here.

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
from selftest.tenant.graph.objects import (
    AUTHENTICATION_TYPE,
    ENDPOINT_TYPE,
    EXTENSION_TYPE,
    GRAPH_APP_ID,
    HANDLER_TYPE,
    LISTENER_TYPE,
    RECEIVE_PAYLOAD_ROLE,
    RECEIVE_PAYLOAD_ROLE_ID,
    SAMPLE_CLAIMS,
    GraphObject,
    resource_id,
)

type TenantType = Literal["workforce", "external"]

#: A host that does not exist (RFC 2606). Entra requires a public name in the identifier URI and in the target URL.
DEFAULT_HOST: Final = "claims.sample.example"

API_APPLICATION_ID: Final = "0a000000-0000-4000-8000-000000000001"
API_PRINCIPAL_ID: Final = "0a000000-0000-4000-8000-000000000002"
CLIENT_APPLICATION_ID: Final = "0a000000-0000-4000-8000-000000000003"
GRAPH_PRINCIPAL_ID: Final = "0a000000-0000-4000-8000-000000000004"
POLICY_ID: Final = "0a000000-0000-4000-8000-000000000005"
#: Graph's ids of app role assignments are not GUIDs.
CONSENT_ID: Final = "AAAKAAAAAECAAAAAAAAAAg-Y2xhaW1z"
#: Microsoft's own tenant, which owns the applications of its services.
MICROSOFT_TENANT_ID: Final = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

_CREATED: Final = "2026-01-01T00:00:00Z"


def healthy_tenant(
    tenant: Tenant = DEFAULT_TENANT,
    *,
    host: str = DEFAULT_HOST,
    claims: Sequence[str] = SAMPLE_CLAIMS,
    tenant_type: TenantType = "workforce",
) -> dict[str, Any]:
    """Return a tenant's objects by kind, in the form that ``doctor --file`` reads.

    Every call returns new objects, which may be changed.

    Args:
        tenant: The source of the ids; its client is the app that users sign in to.
        host: The public host name of the endpoint, in the identifier URI and in the target URL.
        claims: The names that the provider returns, registered and mapped under the same names.
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


def _organization(tenant: Tenant, tenant_type: TenantType) -> GraphObject:
    return {
        "id": tenant.tenant_id,
        "displayName": "Sample tenant",
        "tenantType": "CIAM" if tenant_type == "external" else "AAD",
        "verifiedDomains": [{"name": tenant.domain, "isDefault": True, "isInitial": True, "type": "Managed"}],
    }


def new_application(object_id: str, app_id: str, name: str) -> GraphObject:
    """Return an application registration as Graph creates one, except that the version of its tokens is 2."""
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
    """Return a service principal as Graph creates one for an application of a tenant."""
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

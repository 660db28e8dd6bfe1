"""The members of the Graph types that a custom claims provider uses, by type, with their kinds.

The emulated Graph refuses a body with any other member, as Graph does, and any ``$select`` of one. A test compares
every row with Microsoft's published description, where that is available. Members that are never sent and never read
are omitted.

A member has a primitive (``text``, ``bool``, ``int32``, ``guid``, ``time``) or another type of this table; a tuple of
one means a collection.

Source: Microsoft Graph v1.0 and beta OpenAPI descriptions; microsoft-graph-docs ``api-reference/*/resources``.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from selftest.tenant.graph.surface import Version

type Shape = str | tuple[str]

PRIMITIVES: Final = frozenset({"text", "bool", "int32", "guid", "time"})
_TEXTS: Final = ("text",)

#: A type adds its members to those of the type that it derives from.
BASES: Final[Mapping[str, str]] = {
    "application": "directoryObject",
    "servicePrincipal": "directoryObject",
    "appRoleAssignment": "directoryObject",
    "claimsMappingPolicy": "directoryObject",
    "directoryObject": "entity",
    "customAuthenticationExtension": "entity",
    "onTokenIssuanceStartCustomExtension": "customAuthenticationExtension",
    "authenticationEventListener": "entity",
    "onTokenIssuanceStartListener": "authenticationEventListener",
    "onTokenIssuanceStartCustomExtensionHandler": "onTokenIssuanceStartHandler",
    "azureAdTokenAuthentication": "customExtensionAuthenticationConfiguration",
    "httpRequestEndpoint": "customExtensionEndpointConfiguration",
    "customExtensionCalloutResult": "authenticationEventHandlerResult",
    "customClaim": "customClaimBase",
    "customClaimsPolicy": "entity",
    "federatedIdentityCredential": "entity",
    "organization": "directoryObject",
    "signIn": "entity",
}

#: Abstract types: ``@odata.type`` has to name a derived one.
ABSTRACT: Final = frozenset(
    {
        "customAuthenticationExtension",
        "authenticationEventListener",
        "onTokenIssuanceStartHandler",
        "customExtensionAuthenticationConfiguration",
        "customExtensionEndpointConfiguration",
        "authenticationEventHandlerResult",
        "customClaimBase",
    }
)

_OWN: Final[Mapping[str, Mapping[str, Shape]]] = {
    "entity": {"id": "text"},
    "directoryObject": {"deletedDateTime": "time"},
    "organization": {"displayName": "text", "tenantType": "text", "verifiedDomains": ("verifiedDomain",)},
    "verifiedDomain": {
        "name": "text",
        "isDefault": "bool",
        "isInitial": "bool",
        "type": "text",
        "capabilities": "text",
    },
    "application": {
        "api": "apiApplication",
        "appId": "text",
        "appRoles": ("appRole",),
        "createdDateTime": "time",
        "description": "text",
        "disabledByMicrosoftStatus": "text",
        "displayName": "text",
        "identifierUris": _TEXTS,
        "isDisabled": "bool",
        "keyCredentials": ("keyCredential",),
        "notes": "text",
        "passwordCredentials": ("passwordCredential",),
        "requiredResourceAccess": ("requiredResourceAccess",),
        "signInAudience": "text",
        "tags": _TEXTS,
        "uniqueName": "text",
        "web": "webApplication",
    },
    "federatedIdentityCredential": {
        "audiences": _TEXTS,
        "description": "text",
        "issuer": "text",
        "name": "text",
        "subject": "text",
    },
    "apiApplication": {
        "acceptMappedClaims": "bool",
        "knownClientApplications": ("guid",),
        "oauth2PermissionScopes": ("permissionScope",),
        "preAuthorizedApplications": ("preAuthorizedApplication",),
        "requestedAccessTokenVersion": "int32",
    },
    "permissionScope": {"id": "guid", "value": "text", "type": "text", "isEnabled": "bool"},
    "preAuthorizedApplication": {"appId": "text", "delegatedPermissionIds": _TEXTS},
    "appRole": {
        "id": "guid",
        "value": "text",
        "displayName": "text",
        "description": "text",
        "allowedMemberTypes": _TEXTS,
        "isEnabled": "bool",
        "origin": "text",
    },
    "keyCredential": {
        "keyId": "guid",
        "type": "text",
        "usage": "text",
        "startDateTime": "time",
        "endDateTime": "time",
        "displayName": "text",
    },
    "passwordCredential": {"keyId": "guid", "displayName": "text", "endDateTime": "time", "hint": "text"},
    "requiredResourceAccess": {"resourceAppId": "text", "resourceAccess": ("resourceAccess",)},
    "resourceAccess": {"id": "guid", "type": "text"},
    "webApplication": {"redirectUris": _TEXTS, "homePageUrl": "text", "implicitGrantSettings": "implicitGrantSettings"},
    "implicitGrantSettings": {"enableIdTokenIssuance": "bool", "enableAccessTokenIssuance": "bool"},
    "servicePrincipal": {
        "accountEnabled": "bool",
        "appDisplayName": "text",
        "appId": "text",
        "appOwnerOrganizationId": "guid",
        "appRoleAssignmentRequired": "bool",
        "appRoleAssignments": ("appRoleAssignment",),
        "appRoles": ("appRole",),
        "claimsMappingPolicies": ("claimsMappingPolicy",),
        "disabledByMicrosoftStatus": "text",
        "displayName": "text",
        "isDisabled": "bool",
        "keyCredentials": ("keyCredential",),
        "preferredSingleSignOnMode": "text",
        "servicePrincipalNames": _TEXTS,
        "servicePrincipalType": "text",
        "tags": _TEXTS,
    },
    "appRoleAssignment": {
        "appRoleId": "guid",
        "createdDateTime": "time",
        "principalDisplayName": "text",
        "principalId": "guid",
        "principalType": "text",
        "resourceDisplayName": "text",
        "resourceId": "guid",
    },
    "claimsMappingPolicy": {
        "definition": _TEXTS,
        "description": "text",
        "displayName": "text",
        "isOrganizationDefault": "bool",
    },
    "customAuthenticationExtension": {
        "authenticationConfiguration": "customExtensionAuthenticationConfiguration",
        "behaviorOnError": "customExtensionBehaviorOnError",
        "clientConfiguration": "customExtensionClientConfiguration",
        "description": "text",
        "displayName": "text",
        "endpointConfiguration": "customExtensionEndpointConfiguration",
    },
    "onTokenIssuanceStartCustomExtension": {"claimsForTokenConfiguration": ("onTokenIssuanceStartReturnClaim",)},
    "onTokenIssuanceStartReturnClaim": {"claimIdInApiResponse": "text"},
    "customExtensionAuthenticationConfiguration": {},
    "azureAdTokenAuthentication": {"resourceId": "text"},
    "customExtensionBehaviorOnError": {},
    "customExtensionClientConfiguration": {"timeoutInMilliseconds": "int32", "maximumRetries": "int32"},
    "customExtensionEndpointConfiguration": {},
    "httpRequestEndpoint": {"targetUrl": "text"},
    "authenticationEventListener": {
        "authenticationEventsFlowId": "text",
        "conditions": "authenticationConditions",
        "displayName": "text",
    },
    "authenticationConditions": {"applications": "authenticationConditionsApplications"},
    "authenticationConditionsApplications": {"includeApplications": ("authenticationConditionApplication",)},
    "authenticationConditionApplication": {"appId": "text"},
    "onTokenIssuanceStartListener": {"handler": "onTokenIssuanceStartHandler"},
    "onTokenIssuanceStartHandler": {},
    "onTokenIssuanceStartCustomExtensionHandler": {
        "configuration": "customExtensionOverwriteConfiguration",
        "customExtension": "onTokenIssuanceStartCustomExtension",
    },
    "customExtensionOverwriteConfiguration": {
        "behaviorOnError": "customExtensionBehaviorOnError",
        "clientConfiguration": "customExtensionClientConfiguration",
    },
    "ReferenceCreate": {"@odata.id": "text"},
    "ValidateAuthenticationConfigurationPostRequestBody": {
        "authenticationConfiguration": "customExtensionAuthenticationConfiguration",
        "endpointConfiguration": "customExtensionEndpointConfiguration",
    },
    "authenticationConfigurationValidation": {"errors": ("genericError",), "warnings": ("genericError",)},
    "genericError": {"code": "text", "message": "text"},
    "signIn": {
        "appDisplayName": "text",
        "appId": "text",
        "clientAppUsed": "text",
        "correlationId": "text",
        "createdDateTime": "time",
        "isInteractive": "bool",
        "resourceDisplayName": "text",
        "resourceId": "text",
        "status": "signInStatus",
        "userId": "text",
    },
    "signInStatus": {"errorCode": "int32", "failureReason": "text", "additionalDetails": "text"},
    "customClaimsPolicy": {
        "audienceOverride": "text",
        "claims": ("customClaimBase",),
        "includeApplicationIdInIssuer": "bool",
        "includeBasicClaimSet": "bool",
    },
    "customClaimBase": {},
    "customClaim": {"name": "text", "namespace": "text"},
    "appliedAuthenticationEventListener": {
        "eventType": "text",
        "executedListenerId": "text",
        "handlerResult": "authenticationEventHandlerResult",
    },
    "authenticationEventHandlerResult": {},
    "customExtensionCalloutResult": {
        "calloutDateTime": "time",
        "customExtensionId": "text",
        "errorCode": "int32",
        "httpStatus": "int32",
        "numberOfAttempts": "int32",
    },
}

#: Additional members of the beta version.
_BETA: Final[Mapping[str, Mapping[str, Shape]]] = {
    "signIn": {"appliedEventListeners": ("appliedAuthenticationEventListener",), "signInEventTypes": _TEXTS},
}

#: Refused in a body, because Graph sets them.
READ_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "application": frozenset({"id", "appId", "createdDateTime", "deletedDateTime"}),
    # The app id is set once, on create.
    "servicePrincipal": frozenset({"id", "appId", "appDisplayName", "appOwnerOrganizationId", "deletedDateTime"}),
    "appRoleAssignment": frozenset(
        {"id", "createdDateTime", "principalDisplayName", "principalType", "resourceDisplayName", "deletedDateTime"}
    ),
    "claimsMappingPolicy": frozenset({"id", "deletedDateTime"}),
    "customAuthenticationExtension": frozenset({"id"}),
    "federatedIdentityCredential": frozenset({"id"}),
    "authenticationEventListener": frozenset({"id"}),
}

#: Relations, which are read at separate paths and never written with the object.
NAVIGATION: Final[Mapping[str, frozenset[str]]] = {
    "servicePrincipal": frozenset({"appRoleAssignments", "claimsMappingPolicies"}),
}


def names() -> Iterator[str]:
    """Return all types of the table."""
    return iter(_OWN)


def members(name: str, version: Version = "v1.0") -> dict[str, Shape]:
    """Return a type's members with those that it inherits."""
    inherited = members(BASES[name], version) if name in BASES else {}
    beta = _BETA.get(name, {}) if version == "beta" else {}
    return {**inherited, **_OWN[name], **beta}


def derives(name: str, base: str) -> bool:
    """Whether a type is another one or derives from it."""
    while name != base:
        if name not in BASES:
            return False
        name = BASES[name]
    return True

"""A tenant's objects in a file that may be handed on: what a statement looks at, and nothing else.

An allow-list, so that a member that Graph adds tomorrow is left out until somebody has looked at it. Left out are
owners, keys, secrets, notes, logos, redirect URIs, descriptions, and every name of a person; a URL's query keeps its
names and loses its values, for one of them is the function's key. Of a policy's constants only the place is kept.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from selftest.base.bounded_file import FileError
from selftest.tenant.doctor.evidence.resource import shown_url
from selftest.tenant.doctor.evidence.tenant import LISTS

type Shape = Mapping[str, "Shape | None"]

_CALL: Final[Shape] = {"clientConfiguration": {"timeoutInMilliseconds": None, "maximumRetries": None}}
_EXTENSION: Final[Shape] = {
    "@odata.type": None,
    "id": None,
    "displayName": None,
    "endpointConfiguration": {"@odata.type": None, "targetUrl": None},
    "authenticationConfiguration": {"@odata.type": None, "resourceId": None},
    **_CALL,
    "claimsForTokenConfiguration": {"claimIdInApiResponse": None},
}
_SHAPES: Final[Mapping[str, Shape]] = {
    "customAuthenticationExtensions": _EXTENSION,
    "authenticationEventListeners": {
        "@odata.type": None,
        "id": None,
        "displayName": None,
        "conditions": {"applications": {"includeAllApplications": None, "includeApplications": {"appId": None}}},
        "handler": {
            "@odata.type": None,
            "configuration": _CALL,
            "customExtension": {"@odata.type": None, "id": None},
        },
    },
    "applications": {
        "appId": None,
        "displayName": None,
        "signInAudience": None,
        "identifierUris": None,
        "api": {"acceptMappedClaims": None, "requestedAccessTokenVersion": None},
        "requiredResourceAccess": {"resourceAppId": None, "resourceAccess": {"id": None, "type": None}},
    },
    "servicePrincipals": {
        "id": None,
        "appId": None,
        "displayName": None,
        "accountEnabled": None,
        "appOwnerOrganizationId": None,
        "appRoleAssignmentRequired": None,
        "servicePrincipalNames": None,
        "preferredSingleSignOnMode": None,
        "keyCredentials": {"usage": None},
        "appRoleAssignments": {"appRoleId": None, "resourceId": None},
        "claimsMappingPolicies": {"id": None},
        "claimsPolicy": {"claims": {"@odata.type": None}},
    },
    "claimsMappingPolicies": {"id": None, "displayName": None, "isOrganizationDefault": None, "definition": None},
    "organization": {"id": None, "tenantType": None, "verifiedDomains": {"name": None}},
}
_ENTRY_MEMBERS: Final = ("Source", "ID", "JwtClaimType", "SamlClaimType")
_POLICY_MEMBERS: Final = ("Version", "IncludeBasicClaimSet")
_HIDDEN: Final = "redacted"


def exported(document: Mapping[str, Any]) -> dict[str, Any]:
    """Cut a document in the form of ``doctor --file`` to what may be handed on."""
    lists = {
        name: _cut(document[name], _SHAPES[name]) for name in (*LISTS, "organization") if document.get(name) is not None
    }
    for extension in lists.get("customAuthenticationExtensions", []):
        endpoint = extension.get("endpointConfiguration") or {}
        if isinstance(endpoint.get("targetUrl"), str):
            endpoint["targetUrl"] = shown_url(endpoint["targetUrl"])
    for policy in lists.get("claimsMappingPolicies", []):
        if "definition" in policy:
            policy["definition"] = _definition(policy["definition"])
    return lists


def write_export(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file, readable for its owner alone: it names a tenant's applications.

    Raises:
        FileError: It cannot be written.
    """
    text = json.dumps(exported(document), indent=2, ensure_ascii=False) + "\n"
    try:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise FileError(f"{path} cannot be written: {reason}") from error


def _cut(value: Any, shape: Shape | None) -> Any:
    """Keep the members of a shape, in lists too; a leaf keeps plain values and lists of texts alone."""
    if isinstance(value, list):
        return [_cut(item, shape) for item in value]
    if shape is None:
        return value if isinstance(value, str | int | float | bool | None) else None
    if not isinstance(value, dict):
        return None
    return {name: _cut(value[name], inner) for name, inner in shape.items() if name in value}


def _definition(definition: Any) -> Any:
    """Keep of a policy what says which claim goes where; constants lose their texts."""
    try:
        policy = json.loads(definition[0])["ClaimsMappingPolicy"]
        schema = [
            {name: entry[name] for name in _ENTRY_MEMBERS if name in entry}
            | ({"Value": _HIDDEN} if "Value" in entry else {})
            for entry in policy.get("ClaimsSchema", [])
        ]
        kept = {name: policy[name] for name in _POLICY_MEMBERS if name in policy}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return ["a definition that cannot be read"]
    return [json.dumps({"ClaimsMappingPolicy": kept | {"ClaimsSchema": schema}})]

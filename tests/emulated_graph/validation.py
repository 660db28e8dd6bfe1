"""The result of ``validateAuthenticationConfiguration``, computed from the tenant's objects.

It checks the configuration alone: two empty lists do not prove that Entra will call. The page shows all codes in one
answer, but an app id that cannot be read from the resource id cannot be looked up; here only what can be known is
reported.

Source: microsoft-graph-docs v1.0 ``customauthenticationextension-validateauthenticationconfiguration.md``.
"""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from selftest.tenant.graph.objects import RECEIVE_PAYLOAD_ROLE_ID, GraphObject
from tests.emulated_graph.directory import Directory

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
#: ``api://{fully qualified domain name}/{app id}``.
_RESOURCE_ID: Final = re.compile(
    rf"api://(?P<host>{_LABEL}(?:\.{_LABEL})+)/(?P<app_id>[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
)

_MESSAGES: Final = {
    "IncorrectResourceIdFormat": "The resourceId has to be api://, a fully qualified domain name, / and an app id.",
    "DomainNameDoesNotMatch": "The domain name in the resourceId and the one in the targetUrl differ.",
    "ServicePrincipalNotFound": "No service principal in the tenant has the app id of the resourceId.",
    "PermissionNotGrantedToServicePrincipal": (
        "CustomAuthenticationExtensions.Receive.Payload is not granted to the service principal of the resource app."
    ),
}


def validate(directory: Directory, configuration: GraphObject) -> dict[str, Any]:
    """Return the problems of an extension's endpoint and authentication.

    Args:
        directory: The tenant.
        configuration: An extension, or the body of the request.
    """
    resource_id = _inner(configuration, "authenticationConfiguration", "resourceId")
    target_url = _inner(configuration, "endpointConfiguration", "targetUrl")
    errors, warnings = [], []
    match = _RESOURCE_ID.fullmatch(resource_id.lower())
    if match is None:
        errors.append("IncorrectResourceIdFormat")
    else:
        if match["host"] != (urlsplit(target_url).hostname or ""):
            errors.append("DomainNameDoesNotMatch")
        principal = directory.lookup("servicePrincipals", "appId", match["app_id"])
        if principal is None or not directory.sees(principal):
            errors.append("ServicePrincipalNotFound")
        elif not _has_consent(directory, principal):
            warnings.append("PermissionNotGrantedToServicePrincipal")
    return {"errors": [_entry(code) for code in errors], "warnings": [_entry(code) for code in warnings]}


def _has_consent(directory: Directory, principal: GraphObject) -> bool:
    return any(each["appRoleId"] == RECEIVE_PAYLOAD_ROLE_ID for each in directory.granted_to(principal["id"]))


def _entry(code: str) -> dict[str, str]:
    return {"code": code, "message": _MESSAGES[code]}


def _inner(configuration: GraphObject, member: str, name: str) -> str:
    return str((configuration.get(member) or {}).get(name) or "")

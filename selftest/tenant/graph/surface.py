"""The part of Microsoft Graph that this project uses: paths, methods, and the permissions that they need.

The client looks up which permission would have allowed a refused request. A test compares every row with Microsoft's
published description, where that is available.

Permissions are alternatives, the least privileged first; permissions that are needed together are in one set. They are
the pages' for delegated and application permissions together. Two pages are surprising, and are followed: reading which
policy is assigned to a service principal needs ``Application.ReadWrite.All``, and reading an app role assignment needs
no separate permission.

The beta version is used only for what v1.0 does not have.

Source: microsoft-graph-docs ``api-reference/v1.0/api`` and, for beta, ``api-reference/beta/api``.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote

from selftest.tenant.graph.objects import EXTENSIONS, LISTENERS, POLICIES

type Version = Literal["v1.0", "beta"]
type Permissions = tuple[frozenset[str], ...]
type PermissionsByMethod = Mapping[str, Permissions]


def _any(*alternatives: str) -> Permissions:
    """Read alternatives; a plus joins permissions that are needed together."""
    return tuple(frozenset(alternative.split("+")) for alternative in alternatives)


_APPS_READ: Final = _any(
    "Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.Read.All"
)
_APPS_WRITE: Final = _any("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")
_CONSENT: Final = _any(
    "AppRoleAssignment.ReadWrite.All+Application.Read.All", "AppRoleAssignment.ReadWrite.All+Application.ReadWrite.All"
)
_EXTENSION_WRITE: Final = _any("CustomAuthenticationExtension.ReadWrite.All")
_EXTENSION_READ: Final = _any("CustomAuthenticationExtension.Read.All") + _EXTENSION_WRITE
_LISTENER_WRITE: Final = _any("EventListener.ReadWrite.All")
_LISTENER_READ: Final = _any("EventListener.Read.All") + _LISTENER_WRITE
_POLICY_WRITE: Final = _any("Policy.ReadWrite.ApplicationConfiguration")
_POLICY_READ: Final = _any("Policy.Read.All") + _POLICY_WRITE
_ASSIGNED: Final = _any(
    "Policy.Read.All+Application.ReadWrite.OwnedBy",
    "Policy.Read.All+Application.ReadWrite.All",
    "Policy.ReadWrite.ApplicationConfiguration+Application.ReadWrite.OwnedBy",
    "Policy.ReadWrite.ApplicationConfiguration+Application.ReadWrite.All",
)
#: The page has the first and the last; that the second does as well was found, and asked about, in 2025.
_CLAIMS_POLICY: Final = _any(
    "Policy.Read.ApplicationConfiguration", "Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"
)
#: Pages differ on whether Directory.Read.All is needed besides.
_SIGN_INS: Final = _any("AuditLog.Read.All")
_ORGANIZATION: Final = _any("User.Read", "Organization.Read.All", "Directory.Read.All")


def _object(read: Permissions, write: Permissions) -> PermissionsByMethod:
    """Return what reading, changing and deleting one object needs."""
    return {"GET": read, "PATCH": write, "DELETE": write}


_PRINCIPAL: Final = "/servicePrincipals/{servicePrincipal-id}"
_EXTENSION: Final = f"{EXTENSIONS}/{{customAuthenticationExtension-id}}"
_VALIDATION: Final = "validateAuthenticationConfiguration"

#: By version, path (with names in braces, as Microsoft's description writes it), and method.
PERMISSIONS: Final[Mapping[Version, Mapping[str, PermissionsByMethod]]] = {
    "v1.0": {
        "/organization": {"GET": _ORGANIZATION},
        "/applications": {"GET": _APPS_READ, "POST": _APPS_WRITE},
        "/applications/{application-id}": _object(_APPS_READ, _APPS_WRITE),
        "/applications(appId='{appId}')": _object(_APPS_READ, _APPS_WRITE),
        "/applications(uniqueName='{uniqueName}')": _object(_APPS_READ, _APPS_WRITE),
        "/servicePrincipals": {"GET": _APPS_READ, "POST": _APPS_WRITE},
        _PRINCIPAL: _object(_APPS_READ, _APPS_WRITE),
        "/servicePrincipals(appId='{appId}')": _object(_APPS_READ, _APPS_WRITE),
        f"{_PRINCIPAL}/appRoleAssignments": {"GET": _APPS_READ, "POST": _CONSENT},
        f"{_PRINCIPAL}/claimsMappingPolicies": {"GET": _ASSIGNED},
        f"{_PRINCIPAL}/claimsMappingPolicies/$ref": {"POST": _ASSIGNED},
        f"{_PRINCIPAL}/claimsMappingPolicies/{{claimsMappingPolicy-id}}/$ref": {"DELETE": _ASSIGNED},
        POLICIES: {"GET": _POLICY_READ, "POST": _POLICY_WRITE},
        f"{POLICIES}/{{claimsMappingPolicy-id}}": _object(_POLICY_READ, _POLICY_WRITE),
        EXTENSIONS: {"GET": _EXTENSION_READ, "POST": _EXTENSION_WRITE},
        _EXTENSION: _object(_EXTENSION_READ, _EXTENSION_WRITE),
        f"{EXTENSIONS}/{_VALIDATION}": {"POST": _EXTENSION_READ},
        f"{_EXTENSION}/{_VALIDATION}": {"POST": _EXTENSION_READ},
        LISTENERS: {"GET": _LISTENER_READ, "POST": _LISTENER_WRITE},
        f"{LISTENERS}/{{authenticationEventListener-id}}": _object(_LISTENER_READ, _LISTENER_WRITE),
        "/auditLogs/signIns": {"GET": _SIGN_INS},
    },
    "beta": {"/auditLogs/signIns": {"GET": _SIGN_INS}, f"{_PRINCIPAL}/claimsPolicy": {"GET": _CLAIMS_POLICY}},
}

_NAME_IN_BRACES: Final = re.compile(r"\\\{[^}]*\\\}")


@lru_cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(_NAME_IN_BRACES.sub("((?:[^/()']|'')+)", re.escape(template)))


def matching(version: Version, path: str) -> tuple[str, re.Match[str]] | None:
    """Return the template of a path, and the match with the values of its names; None for an unknown path.

    Args:
        version: Of Graph.
        path: Below the version, with a slash at the start, percent-encoded or not.
    """
    text = unquote(path)
    # Those without names first, because they are more specific.
    for template in sorted(PERMISSIONS[version], key=lambda each: each.count("{")):
        if (match := _pattern(template).fullmatch(text)) is not None:
            return template, match
    return None


def permissions_for(method: str, path: str, version: Version = "v1.0") -> Permissions:
    """Return the permissions that would allow a request, the least privileged first; empty for an unknown request."""
    found = matching(version, path)
    return () if found is None else PERMISSIONS[version][found[0]].get(method, ())

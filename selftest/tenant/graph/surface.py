"""The part of Microsoft Graph that this project uses: paths, methods, query options, permissions, required members.

The client looks up which permission would have allowed a refused request; the emulated Graph refuses everything that is
not listed. A test compares every row with Microsoft's published description, where that is available.

Permissions are alternatives, the least privileged first; permissions that are needed together are in one set. They are
the pages' for delegated and application permissions together. Two pages are surprising, and are followed: reading which
policy is assigned to a service principal needs ``Application.ReadWrite.All``, and reading an app role assignment needs
no separate permission.

The beta version is used only for what v1.0 does not have: the two rows that say so.

Source: microsoft-graph-docs ``api-reference/v1.0/api`` and, where a row says so, ``api-reference/beta/api``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote

from selftest.tenant.graph.objects import EXTENSIONS, LISTENERS, POLICIES

type Version = Literal["v1.0", "beta"]
type Method = Literal["GET", "POST", "PATCH", "DELETE"]
type Permissions = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path.

    Attributes:
        method: Of HTTP.
        path: Below the version, with names in braces, as Microsoft's description writes it.
        permissions: Alternatives, the least privileged first.
        answer: The type of the answer, or of its items; None without a body.
        collection: Whether the answer is a page of a list.
        body: The type of the request's body; None where a body is refused.
        required: The members without which a create is refused, as the pages say.
        options: Query options.
        versions: Of Graph.
    """

    method: Method
    path: str
    permissions: Permissions
    answer: str | None = None
    collection: bool = False
    body: str | None = None
    required: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()
    versions: tuple[Version, ...] = ("v1.0",)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPath:
    """A path and its operations.

    Attributes:
        version: Of Graph.
        template: The path with names in braces.
        keys: The values of the names, in order, unquoted.
        operations: By method, in this version.
    """

    version: Version
    template: str
    keys: tuple[str, ...]
    operations: Mapping[str, Operation] = field(repr=False)


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
_CONSENT_REQUIRED: Final = ("principalId", "resourceId", "appRoleId")
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

_LIST: Final = frozenset({"$select", "$top", "$filter"})


def _list(path: str, answer: str, permissions: Permissions, *options: str, beta: bool = False) -> Operation:
    return Operation(
        method="GET",
        path=path,
        permissions=permissions,
        answer=answer,
        collection=True,
        options=frozenset(options) or _LIST,
        versions=("v1.0", "beta") if beta else ("v1.0",),
    )


def _create(path: str, body: str, permissions: Permissions, *required: str) -> Operation:
    return Operation(method="POST", path=path, permissions=permissions, answer=body, body=body, required=required)


def _entity(path: str, kind: str, read: Permissions, write: Permissions) -> Iterator[Operation]:
    """Yield the operations that read, change and delete one object."""
    yield Operation(method="GET", path=path, permissions=read, answer=kind, options=frozenset({"$select"}))
    # Changing an application at its unique name may create it, and then returns it.
    yield Operation(method="PATCH", path=path, permissions=write, answer=kind, body=kind)
    yield Operation(method="DELETE", path=path, permissions=write)


_PRINCIPAL: Final = "/servicePrincipals/{servicePrincipal-id}"
_EXTENSION: Final = f"{EXTENSIONS}/{{customAuthenticationExtension-id}}"

OPERATIONS: Final[tuple[Operation, ...]] = (
    _list("/organization", "organization", _ORGANIZATION, "$select"),
    _list("/applications", "application", _APPS_READ),
    _create("/applications", "application", _APPS_WRITE, "displayName"),
    *_entity("/applications/{application-id}", "application", _APPS_READ, _APPS_WRITE),
    *_entity("/applications(appId='{appId}')", "application", _APPS_READ, _APPS_WRITE),
    *_entity("/applications(uniqueName='{uniqueName}')", "application", _APPS_READ, _APPS_WRITE),
    _list("/servicePrincipals", "servicePrincipal", _APPS_READ),
    _create("/servicePrincipals", "servicePrincipal", _APPS_WRITE, "appId"),
    *_entity(_PRINCIPAL, "servicePrincipal", _APPS_READ, _APPS_WRITE),
    *_entity("/servicePrincipals(appId='{appId}')", "servicePrincipal", _APPS_READ, _APPS_WRITE),
    _list(f"{_PRINCIPAL}/appRoleAssignments", "appRoleAssignment", _APPS_READ),
    _create(f"{_PRINCIPAL}/appRoleAssignments", "appRoleAssignment", _CONSENT, *_CONSENT_REQUIRED),
    _list(f"{_PRINCIPAL}/claimsMappingPolicies", "claimsMappingPolicy", _ASSIGNED, "$select", "$top"),
    Operation(
        method="POST", path=f"{_PRINCIPAL}/claimsMappingPolicies/$ref", permissions=_ASSIGNED, body="ReferenceCreate"
    ),
    Operation(
        method="DELETE",
        path=f"{_PRINCIPAL}/claimsMappingPolicies/{{claimsMappingPolicy-id}}/$ref",
        permissions=_ASSIGNED,
    ),
    _list(POLICIES, "claimsMappingPolicy", _POLICY_READ),
    _create(POLICIES, "claimsMappingPolicy", _POLICY_WRITE, "definition", "displayName"),
    *_entity(f"{POLICIES}/{{claimsMappingPolicy-id}}", "claimsMappingPolicy", _POLICY_READ, _POLICY_WRITE),
    # Filters on extensions are documented nowhere: list them all and choose.
    _list(EXTENSIONS, "customAuthenticationExtension", _EXTENSION_READ, "$select", "$top"),
    _create(EXTENSIONS, "customAuthenticationExtension", _EXTENSION_WRITE, "authenticationConfiguration"),
    *_entity(_EXTENSION, "customAuthenticationExtension", _EXTENSION_READ, _EXTENSION_WRITE),
    Operation(
        method="POST",
        path=f"{EXTENSIONS}/validateAuthenticationConfiguration",
        permissions=_EXTENSION_READ,
        answer="authenticationConfigurationValidation",
        body="ValidateAuthenticationConfigurationPostRequestBody",
    ),
    Operation(
        method="POST",
        path=f"{_EXTENSION}/validateAuthenticationConfiguration",
        permissions=_EXTENSION_READ,
        answer="authenticationConfigurationValidation",
    ),
    _list(LISTENERS, "authenticationEventListener", _LISTENER_READ, "$select", "$top"),
    _create(LISTENERS, "authenticationEventListener", _LISTENER_WRITE),
    *_entity(
        f"{LISTENERS}/{{authenticationEventListener-id}}",
        "authenticationEventListener",
        _LISTENER_READ,
        _LISTENER_WRITE,
    ),
    _list("/auditLogs/signIns", "signIn", _SIGN_INS, "$select", "$top", "$filter", beta=True),
    Operation(
        method="GET",
        path=f"{_PRINCIPAL}/claimsPolicy",
        permissions=_CLAIMS_POLICY,
        answer="customClaimsPolicy",
        versions=("beta",),
    ),
)

_NAME_IN_BRACES: Final = re.compile(r"\\\{[^}]*\\\}")


@lru_cache(maxsize=1)
def _templates() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each template's pattern, those without names first because they are more specific."""
    found = sorted({operation.path for operation in OPERATIONS}, key=lambda path: path.count("{"))
    return tuple((path, re.compile(_NAME_IN_BRACES.sub("((?:[^/()']|'')+)", re.escape(path)))) for path in found)


def find(version: str, path: str) -> KnownPath | None:
    """Return what is known of a path below the version; None for an unknown path.

    Args:
        version: ``v1.0`` or ``beta``.
        path: With a slash at the start, percent-encoded or not.
    """
    text = unquote(path)
    known: Version = "beta" if version == "beta" else "v1.0"
    if version != known:
        return None
    for template, pattern in _templates():
        if (match := pattern.fullmatch(text)) is None:
            continue
        operations = {
            str(each.method): each for each in OPERATIONS if each.path == template and version in each.versions
        }
        if operations:
            keys = tuple(str(key).replace("''", "'") for key in match.groups())
            return KnownPath(version=known, template=template, keys=keys, operations=operations)
    return None


def permissions_for(method: str, path: str, version: str = "v1.0") -> Permissions:
    """Return the permissions that would allow a request, the least privileged first; empty for an unknown request."""
    place = find(version, path)
    operation = place.operations.get(method) if place else None
    return operation.permissions if operation else ()

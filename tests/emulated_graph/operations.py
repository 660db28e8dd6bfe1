"""The operations of Microsoft Graph that the emulated one has: query options, types and required members of each.

Paths, methods and permissions are those of `selftest.tenant.graph.surface`. A test compares every row with Microsoft's
published description, where that is available.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from selftest.tenant.graph.objects import EXTENSIONS, LISTENERS, POLICIES
from selftest.tenant.graph.surface import PERMISSIONS, Permissions, Version, matching


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path.

    Attributes:
        method: Of HTTP.
        path: Below the version, with names in braces, as Microsoft's description writes it.
        answer: The type of the answer, or of its items; None without a body.
        collection: Whether the answer is a page of a list.
        body: The type of the request's body; None where a body is refused.
        required: The members without which a create is refused, as the pages say.
        options: Query options.
        versions: Of Graph.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    answer: str | None = None
    collection: bool = False
    body: str | None = None
    required: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()
    versions: tuple[Version, ...] = ("v1.0",)

    @property
    def permissions(self) -> Permissions:
        """Return the alternatives, the least privileged first."""
        return PERMISSIONS[self.versions[0]][self.path][self.method]


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


_CONSENT_REQUIRED: Final = ("principalId", "resourceId", "appRoleId")
_LIST: Final = frozenset({"$select", "$top", "$filter"})


def _list(path: str, answer: str, *options: str, beta: bool = False) -> Operation:
    return Operation(
        method="GET",
        path=path,
        answer=answer,
        collection=True,
        options=frozenset(options) or _LIST,
        versions=("v1.0", "beta") if beta else ("v1.0",),
    )


def _create(path: str, body: str, *required: str) -> Operation:
    return Operation(method="POST", path=path, answer=body, body=body, required=required)


def _entity(path: str, kind: str) -> Iterator[Operation]:
    """Yield the operations that read, change and delete one object."""
    yield Operation(method="GET", path=path, answer=kind, options=frozenset({"$select"}))
    # Changing an application at its unique name may create it, and then returns it.
    yield Operation(method="PATCH", path=path, answer=kind, body=kind)
    yield Operation(method="DELETE", path=path)


_CREDENTIALS: Final = "/applications/{application-id}/federatedIdentityCredentials"
_PRINCIPAL: Final = "/servicePrincipals/{servicePrincipal-id}"
_EXTENSION: Final = f"{EXTENSIONS}/{{customAuthenticationExtension-id}}"

OPERATIONS: Final[tuple[Operation, ...]] = (
    _list("/organization", "organization", "$select"),
    _list("/applications", "application"),
    _create("/applications", "application", "displayName"),
    *_entity("/applications/{application-id}", "application"),
    *_entity("/applications(appId='{appId}')", "application"),
    *_entity("/applications(uniqueName='{uniqueName}')", "application"),
    _list(_CREDENTIALS, "federatedIdentityCredential", "$select", "$top"),
    _create(_CREDENTIALS, "federatedIdentityCredential", "audiences", "issuer", "name", "subject"),
    Operation(
        method="PATCH",
        path=f"{_CREDENTIALS}/{{federatedIdentityCredential-id}}",
        body="federatedIdentityCredential",
    ),
    _list("/servicePrincipals", "servicePrincipal"),
    _create("/servicePrincipals", "servicePrincipal", "appId"),
    *_entity(_PRINCIPAL, "servicePrincipal"),
    *_entity("/servicePrincipals(appId='{appId}')", "servicePrincipal"),
    _list(f"{_PRINCIPAL}/appRoleAssignments", "appRoleAssignment"),
    _create(f"{_PRINCIPAL}/appRoleAssignments", "appRoleAssignment", *_CONSENT_REQUIRED),
    _list(f"{_PRINCIPAL}/claimsMappingPolicies", "claimsMappingPolicy", "$select", "$top"),
    Operation(method="POST", path=f"{_PRINCIPAL}/claimsMappingPolicies/$ref", body="ReferenceCreate"),
    Operation(
        method="DELETE",
        path=f"{_PRINCIPAL}/claimsMappingPolicies/{{claimsMappingPolicy-id}}/$ref",
    ),
    _list(POLICIES, "claimsMappingPolicy"),
    _create(POLICIES, "claimsMappingPolicy", "definition", "displayName"),
    *_entity(f"{POLICIES}/{{claimsMappingPolicy-id}}", "claimsMappingPolicy"),
    # Filters on extensions are documented nowhere: list them all and choose.
    _list(EXTENSIONS, "customAuthenticationExtension", "$select", "$top"),
    _create(EXTENSIONS, "customAuthenticationExtension", "authenticationConfiguration"),
    *_entity(_EXTENSION, "customAuthenticationExtension"),
    Operation(
        method="POST",
        path=f"{EXTENSIONS}/validateAuthenticationConfiguration",
        answer="authenticationConfigurationValidation",
        body="ValidateAuthenticationConfigurationPostRequestBody",
    ),
    Operation(
        method="POST",
        path=f"{_EXTENSION}/validateAuthenticationConfiguration",
        answer="authenticationConfigurationValidation",
    ),
    _list(LISTENERS, "authenticationEventListener", "$select", "$top"),
    _create(LISTENERS, "authenticationEventListener"),
    *_entity(
        f"{LISTENERS}/{{authenticationEventListener-id}}",
        "authenticationEventListener",
    ),
    _list("/auditLogs/signIns", "signIn", "$select", "$top", "$filter", beta=True),
    Operation(
        method="GET",
        path=f"{_PRINCIPAL}/claimsPolicy",
        answer="customClaimsPolicy",
        versions=("beta",),
    ),
)


def find(version: str, path: str) -> KnownPath | None:
    """Return what is known of a path below the version; None for an unknown path.

    Args:
        version: ``v1.0`` or ``beta``.
        path: With a slash at the start, percent-encoded or not.
    """
    known = next((each for each in get_args(Version.__value__) if each == version), None)
    found = None if known is None else matching(known, path)
    if known is None or found is None:
        return None
    template, match = found
    operations = {str(each.method): each for each in OPERATIONS if each.path == template and version in each.versions}
    keys = tuple(str(key).replace("''", "'") for key in match.groups())
    return KnownPath(version=known, template=template, keys=keys, operations=operations)

"""The objects that decide whether a token may carry the claims: applications, service principals, mapping policies.

Source: microsoft-graph-docs v1.0 ``application``, ``servicePrincipal``, ``appRoleAssignment``, ``claimsMappingPolicy``.
"""

from typing import Any, Final

from selftest.judge.mapping import MappingError, MappingPolicy
from selftest.tenant.doctor.evidence.graph_model import GraphModel, ObjectId, ObjectReference
from selftest.tenant.doctor.evidence.key_credential import KeyCredential
from selftest.tenant.doctor.evidence.portal_claims import PortalClaims

#: The values of ``disabledByMicrosoftStatus`` of an application that works.
_NOT_DISABLED: Final = frozenset({"", "notdisabled"})


class _Api(GraphModel, frozen=True):
    accept_mapped_claims: bool = False
    requested_access_token_version: int | None = None


class _RequiredAccess(GraphModel, frozen=True):
    resource_app_id: ObjectId = ObjectId()
    resource_access: tuple[ObjectReference, ...] = ()


class ApplicationObject(GraphModel, frozen=True):
    """An app registration."""

    app_id: ObjectId = ObjectId()
    display_name: str | None = None
    sign_in_audience: str | None = None
    is_disabled: bool = False
    disabled_by_microsoft_status: str = ""
    identifier_uris: tuple[str, ...] = ()
    api: _Api = _Api()
    key_credentials: tuple[KeyCredential, ...] = ()
    required_resource_access: tuple[_RequiredAccess, ...] = ()

    @property
    def multi_tenant(self) -> bool:
        """Whether users of other tenants may sign in to it."""
        return self.sign_in_audience not in {None, "AzureADMyOrg"}

    @property
    def token_version(self) -> int | None:
        """Return the version of access tokens to it; None means 1."""
        return self.api.requested_access_token_version

    @property
    def requested_roles(self) -> frozenset[tuple[str, str]]:
        """Return the app roles that it requests: the application that defines the role, and the role's id."""
        return frozenset(
            (access.resource_app_id, role.id)
            for access in self.required_resource_access
            for role in access.resource_access
        )


class _Assignment(GraphModel, frozen=True):
    app_role_id: ObjectId = ObjectId()
    resource_id: ObjectId = ObjectId()


class PrincipalObject(GraphModel, frozen=True):
    """A service principal.

    Attributes:
        service_principal_names: The application id and its identifier URIs.
        app_role_assignments: The app roles that it holds; None: not read.
        claims_mapping_policies: The policies assigned to it; None: not read.
        claims_policy: The portal's Attributes & Claims; None: not read, v1.0 does not show it.
        app_owner_organization_id: The tenant in which its application is registered.
    """

    id: ObjectId = ObjectId()
    app_id: ObjectId = ObjectId()
    display_name: str | None = None
    account_enabled: bool = True
    is_disabled: bool = False
    disabled_by_microsoft_status: str = ""
    app_owner_organization_id: ObjectId = ObjectId()
    app_role_assignment_required: bool = False
    service_principal_names: tuple[str, ...] = ()
    preferred_single_sign_on_mode: str | None = None
    key_credentials: tuple[KeyCredential, ...] = ()
    app_role_assignments: tuple[_Assignment, ...] | None = None
    claims_mapping_policies: tuple[ObjectReference, ...] | None = None
    claims_policy: PortalClaims | None = None

    @property
    def grants(self) -> frozenset[tuple[str, str]] | None:
        """Return the app roles that it holds: the defining service principal, and the role's id; None: not read."""
        held = self.app_role_assignments
        return None if held is None else frozenset((each.resource_id, each.app_role_id) for each in held)

    @property
    def policy_ids(self) -> tuple[str, ...] | None:
        """Return the ids of the policies assigned to it; None: not read."""
        assigned = self.claims_mapping_policies
        return None if assigned is None else tuple(policy.id for policy in assigned)

    @property
    def portal_claims(self) -> bool | None:
        """Whether the portal's Attributes & Claims has an entry; None: not read."""
        return None if self.claims_policy is None else bool(self.claims_policy.claims)

    @property
    def gets_saml(self) -> bool:
        """Whether its users sign in with SAML, so that its token is an assertion."""
        return (self.preferred_single_sign_on_mode or "").lower() == "saml"

    @property
    def has_signing_key(self) -> bool:
        """Whether it has a custom signing key."""
        return any(key.signs for key in self.key_credentials)


def disabled_member(one: ApplicationObject | PrincipalObject) -> tuple[str, str] | None:
    """Return the member that disables an application or its service principal, with its value; None without one."""
    if isinstance(one, PrincipalObject) and not one.account_enabled:
        return "accountEnabled", "false"
    if one.is_disabled:
        return "isDisabled", "true"
    status = one.disabled_by_microsoft_status
    return None if status.lower() in _NOT_DISABLED else ("disabledByMicrosoftStatus", status[:60])


class PolicyObject(GraphModel, frozen=True):
    """A claims mapping policy.

    Attributes:
        definition: A list of one text, which is JSON.
    """

    id: ObjectId = ObjectId()
    display_name: str | None = None
    definition: Any = None

    @property
    def mapping(self) -> MappingPolicy | None:
        """Return what it maps; None where ``problem`` says why it cannot be read."""
        parsed = self._parsed()
        return parsed if isinstance(parsed, MappingPolicy) else None

    @property
    def problem(self) -> str | None:
        """Return why it cannot be read, or None."""
        parsed = self._parsed()
        return parsed if isinstance(parsed, str) else None

    def _parsed(self) -> MappingPolicy | str:
        try:
            return MappingPolicy.parse({"definition": self.definition})
        except MappingError as error:
            return str(error)

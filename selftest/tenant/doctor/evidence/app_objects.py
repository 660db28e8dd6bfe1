"""What decides whether a token may carry the claims: applications, their service principals, and mapping policies.

Source: microsoft-graph-docs v1.0 ``application``, ``servicePrincipal``, ``appRoleAssignment``, ``claimsMappingPolicy``.
"""

from dataclasses import dataclass
from typing import Final, Self

from selftest.judge.mapping import MappingError, MappingPolicy
from selftest.tenant.doctor.evidence.members import Members

_SIGN: Final = "sign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An app registration.

    Attributes:
        audience: ``signInAudience``.
        token_version: ``api.requestedAccessTokenVersion``; None and 1 mean the same.
        maps_claims: ``api.acceptMappedClaims``.
        requested_roles: ids of the app roles in ``requiredResourceAccess``, by the application that defines them.
    """

    app_id: str
    name: str | None
    audience: str | None
    identifier_uris: tuple[str, ...]
    token_version: int | None
    maps_claims: bool
    requested_roles: frozenset[tuple[str, str]]

    @classmethod
    def read(cls, members: Members) -> Self:
        """Read one of Graph's."""
        api = members.part("api")
        wanted = members.parts("requiredResourceAccess") or ()
        return cls(
            app_id=members.guid("appId"),
            name=members.text("displayName"),
            audience=members.text("signInAudience"),
            identifier_uris=members.texts("identifierUris") or (),
            token_version=api.number("requestedAccessTokenVersion"),
            maps_claims=api.flag("acceptMappedClaims") or False,
            requested_roles=frozenset(
                (of.guid("resourceAppId"), role.guid("id"))
                for of in wanted
                for role in of.parts("resourceAccess") or ()
            ),
        )

    @property
    def multi_tenant(self) -> bool:
        """Say whether other tenants may sign in to it."""
        return self.audience not in {None, "AzureADMyOrg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A service principal.

    Attributes:
        names: ``servicePrincipalNames``: the application id and its identifier URIs.
        grants: app roles that it holds, as (service principal that defines the role, role id); None: not read.
        policy_ids: the claims mapping policies assigned to it; None: not read.
        portal_claims: whether the portal's Attributes & Claims has an entry; None: not read, v1.0 does not show it.
        owner_tenant_id: where its application is registered.
        signs_itself: whether it has a signing key of its own.
    """

    id: str
    app_id: str
    name: str | None
    enabled: bool
    assignment_required: bool
    names: tuple[str, ...]
    grants: frozenset[tuple[str, str]] | None
    policy_ids: tuple[str, ...] | None
    portal_claims: bool | None
    owner_tenant_id: str
    signs_itself: bool
    single_sign_on: str | None

    @classmethod
    def read(cls, members: Members) -> Self:
        """Read one of Graph's."""
        assignments = members.parts("appRoleAssignments")
        policies = members.parts("claimsMappingPolicies")
        portal = members.values.get("claimsPolicy")
        keys = members.parts("keyCredentials") or ()
        return cls(
            id=members.guid("id"),
            app_id=members.guid("appId"),
            name=members.text("displayName"),
            enabled=members.flag("accountEnabled") is not False,
            assignment_required=members.flag("appRoleAssignmentRequired") or False,
            names=members.texts("servicePrincipalNames") or (),
            grants=None
            if assignments is None
            else frozenset((a.guid("resourceId"), a.guid("appRoleId")) for a in assignments),
            policy_ids=None if policies is None else tuple(policy.guid("id") for policy in policies),
            portal_claims=None if portal is None else bool(members.part("claimsPolicy").parts("claims")),
            owner_tenant_id=members.guid("appOwnerOrganizationId"),
            signs_itself=any((key.text("usage") or "").lower() == _SIGN for key in keys),
            single_sign_on=members.text("preferredSingleSignOnMode"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A claims mapping policy.

    Attributes:
        mapping: what it maps; None where ``problem`` says why it cannot be read.
    """

    id: str
    name: str | None
    mapping: MappingPolicy | None
    problem: str | None

    @classmethod
    def read(cls, members: Members) -> Self:
        """Read one of Graph's."""
        mapping, problem = None, None
        try:
            mapping = MappingPolicy.parse(members.values)
        except MappingError as error:
            problem = str(error)
        return cls(id=members.guid("id"), name=members.text("displayName"), mapping=mapping, problem=problem)

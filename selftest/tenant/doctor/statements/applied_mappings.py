"""What maps the endpoint's claims for each application: its claims mapping policies, else the portal's claims.

A claims mapping policy supersedes the portal's Attributes & Claims, which therefore count only without one (D78).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from selftest.judge.mapping import TARGET_MEMBERS, MappingPolicy, TargetFault
from selftest.judge.restricted_claims import TokenFormat
from selftest.judge.warnings import shown
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.app_objects import PolicyObject
from selftest.tenant.doctor.evidence.portal_claims import PortalClaims
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable

_PORTAL: Final = "Entra > Enterprise applications > the application > Single sign-on > Attributes & Claims: "


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedMapping:
    """One mapping of one application.

    Attributes:
        name: For people.
        policy_id: Of the claims mapping policy; None for the portal's claims.
    """

    app_id: str
    name: str
    mapping: MappingPolicy
    policy_id: str | None = None

    @property
    def portal(self) -> bool:
        """Whether it is the portal's."""
        return self.policy_id is None

    def fix(self, text: str) -> str | None:
        """Return the fix of a finding in the portal's claims; None for a policy, where the statement's own is true."""
        return _PORTAL + text if self.portal else None


def assigned(case: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the assigned policies of each application; D60 reports a missing service principal.

    Raises:
        EvidenceMissing: They were not read.
        NotApplicable: No application is in the tenant.
    """
    found = False
    for app_id in case.app_ids:
        principal = case.required_tenant.principal(app_id)
        if principal is None:
            continue
        if principal.policy_ids is None:
            raise EvidenceMissing(f"the claims mapping policies of application {app_id} were not read", asked=True)
        found = True
        yield app_id, principal.policy_ids
    if not found:
        raise NotApplicable


def policies(case: Case) -> Iterator[PolicyObject]:
    """Yield the assigned policies, each once.

    Raises:
        EvidenceMissing: A policy was not read, or nothing maps claims (D70).
        NotApplicable: The portal maps the claims, without any policy.
    """
    ids = dict.fromkeys(policy_id for _, ids in assigned(case) for policy_id in ids)
    if not ids:
        if any(_portal_claims(case, app_id) for app_id in case.app_ids):
            raise NotApplicable
        raise EvidenceMissing("no claims mapping policy is assigned (D70)")
    for policy_id in ids:
        yield _policy(case, policy_id)


def applied(case: Case) -> Iterator[AppliedMapping]:
    """Yield each application with each mapping that counts for it.

    Raises:
        EvidenceMissing: A mapping was not read or cannot be judged, or nothing maps claims (D70).
    """
    found = False
    for app_id, ids in assigned(case):
        for policy_id in ids:
            found = True
            mapping = _policy(case, policy_id).mapping
            if mapping is None:
                raise EvidenceMissing("the claims mapping policy cannot be read (D72)")
            yield AppliedMapping(app_id=app_id, name=f"policy {policy_id}", mapping=mapping, policy_id=policy_id)
        claims = None if ids else _portal_claims(case, app_id)
        if claims is not None:
            found = True
            if claims.unknown is not None:
                raise EvidenceMissing(f"Attributes & Claims of application {app_id}: {claims.unknown}", asked=True)
            name = f"Attributes & Claims of application {app_id}"
            yield AppliedMapping(app_id=app_id, name=name, mapping=claims.mapping)
    if not found:
        raise EvidenceMissing("no claims mapping policy is assigned (D70)")


def mappings(case: Case) -> Iterator[AppliedMapping]:
    """Yield each mapping once, however many applications it counts for; what is found before evidence ends is kept."""
    seen: set[str] = set()
    for one in applied(case):
        if one.name not in seen:
            seen.add(one.name)
            yield one


def token_of(case: Case, app_id: str) -> TokenFormat:
    """Return the format of an application's token."""
    principal = case.required_tenant.principal(app_id)
    return "saml" if principal is not None and principal.gets_saml else "jwt"


def target_faults(case: Case) -> Iterator[tuple[AppliedMapping, str, TargetFault]]:
    """Yield each target that a mapping may not emit: the mapping, the member with its value, and why.

    Of the portal's claims, which include Entra's own ones, only those of the endpoint are judged.
    """
    for one in mappings(case):
        for entry in one.mapping.provided if one.portal else one.mapping.entries:
            for token, member in TARGET_MEMBERS.items():
                fault = entry.target_fault(token)
                if fault is not None:
                    yield one, f"{member} {shown(entry.target(token) or '')}", fault


def signed_with_own_key(case: Case, one: AppliedMapping) -> bool:
    """Whether every application that the mapping counts for has a custom signing key."""
    app_ids = (each.app_id for each in applied(case) if each.name == one.name)
    holders = (case.required_tenant.principal(app_id) for app_id in app_ids)
    return all(principal is not None and principal.has_signing_key for principal in holders)


def _policy(case: Case, policy_id: str) -> PolicyObject:
    policy = case.required_tenant.policy(policy_id)
    if policy is None:
        raise EvidenceMissing(f"policy {policy_id} is assigned, and is not among claimsMappingPolicies", asked=True)
    return policy


def _portal_claims(case: Case, app_id: str) -> PortalClaims | None:
    principal = case.required_tenant.principal(app_id)
    return principal.claims_policy if principal is not None and principal.portal_claims else None

"""D68 to D79: the claims mapping policy, without which no returned claim reaches a token.

Source of the rules: entra-docs ``custom-claims-provider-reference.md``, ``reference-claims-customization.md``.
"""

from collections.abc import Iterator

from selftest.judge.mapping import (
    TARGET_FAULTS,
    TARGET_MEMBERS,
    MappingPolicy,
    TargetFault,
    entry_for,
)
from selftest.judge.mapping_warnings import entry_warnings, is_for_provider
from selftest.judge.restricted_claims import TokenFormat
from selftest.judge.warnings import shown
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.app_objects import PolicyObject
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import graph


@statement("D68", "servicePrincipals", "claimsMappingPolicies", "app", "claims")
def returned_claims_are_mapped(case: Case) -> Iterator[TenantFinding]:
    """Look for each returned name; D73 reports a policy without any, D74 a name that differs by case or spaces."""
    for app_id, policy, mapping in _applied(case):
        known = {(entry.id or "").strip().casefold() for entry in mapping.entries if is_for_provider(entry)}
        for name in sorted(case.claims.names) if case.claims is not None else ():
            if known and name.strip().casefold() not in known:
                yield TenantFinding(
                    expected=f"{entry_for(name, _token_of(case, app_id))} in policy {policy.id}", actual="no such entry"
                )


@statement("D69", "servicePrincipals", "claimsMappingPolicies", "app")
def entries_do_what_they_say(case: Case) -> Iterator[TenantFinding]:
    """Repeat what the judge says of each entry; a misspelt source loses the claim."""
    for app_id, policy, mapping in _applied(case):
        for warning in entry_warnings(mapping, _token_of(case, app_id)):
            yield TenantFinding(
                expected=f"entries of policy {policy.id} that put each claim into the token once",
                actual=warning.message,
                hint=warning.kind != "misspelt-source",
            )


@statement("D70", "servicePrincipals", "claimsMappingPolicies", "app")
def policy_is_assigned(case: Case) -> Iterator[TenantFinding]:
    """Check what is assigned, and look for a policy that is not assigned."""
    mapped = [
        policy
        for policy in case.required_tenant.policies or ()
        if policy.mapping is not None and policy.mapping.provided
    ]
    for app_id, assigned in _assigned(case):
        principal = case.required_tenant.principal(app_id)
        if assigned or principal is None or principal.portal_claims:
            continue
        if not mapped and principal.portal_claims is None:
            raise EvidenceMissing(
                f"application {app_id} has no claims mapping policy; whether the portal maps its claims (Attributes & "
                "Claims) is in no object that was read: look there, or read the tenant with --tenant",
                asked=True,
            )
        policy_id = mapped[0].id if len(mapped) == 1 else "<policy id>"
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/policies/claimsMappingPolicies/{policy_id}"}
        yield TenantFinding(
            expected=f"a policy with CustomClaimsProvider at service principal {principal.id}",
            actual=_elsewhere(case, mapped),
            command=graph("POST", f"/servicePrincipals/{principal.id}/claimsMappingPolicies/$ref", reference),
        )


@statement("D71", "servicePrincipals", "claimsMappingPolicies", "app")
def one_policy(case: Case) -> Iterator[TenantFinding]:
    """Count them."""
    for app_id, policies in _assigned(case):
        principal = case.required_tenant.principal(app_id)
        if len(policies) > 1 and principal is not None:
            path = f"/servicePrincipals/{principal.id}/claimsMappingPolicies/{policies[-1]}/$ref"
            yield TenantFinding(
                expected=f"one policy at application {app_id}",
                actual=f"{len(policies)}: {', '.join(policies)}",
                command=graph("DELETE", path),
            )


@statement("D72", "servicePrincipals", "claimsMappingPolicies", "app")
def policy_is_readable(case: Case) -> Iterator[TenantFinding]:
    """Report why a policy cannot be read."""
    for policy in _policies(case):
        if policy.problem is not None:
            yield TenantFinding(expected=f"a definition of policy {policy.id} as documented", actual=policy.problem)


@statement("D73", "servicePrincipals", "claimsMappingPolicies", "app")
def policy_uses_provider(case: Case) -> Iterator[TenantFinding]:
    """Check for such an entry."""
    for policy, mapping in _mappings(case):
        if not any(map(is_for_provider, mapping.entries)):
            kinds = sorted({entry.source or "a constant" for entry in mapping.entries})
            yield TenantFinding(
                expected=f"an entry of policy {policy.id} with source CustomClaimsProvider",
                actual=f"sources: {', '.join(map(shown, kinds))}" if kinds else "no entry",
            )


@statement("D74", "servicePrincipals", "claimsMappingPolicies", "app", "claims")
def names_are_returned(case: Case) -> Iterator[TenantFinding]:
    """Compare the names."""
    claims = case.claims
    if claims is None:
        return
    by_folded = {name.strip().casefold(): name for name in claims.names}
    for policy, mapping in _mappings(case):
        for name in (entry.id.strip() for entry in mapping.provided if entry.id is not None):
            if name in claims.names:
                continue
            near = by_folded.get(name.casefold())
            yield TenantFinding(
                expected=f"ID {shown(near)}" if near else f"one of {', '.join(map(shown, sorted(claims.names)))}",
                actual=f"{shown(name)} in policy {policy.id} ({claims.origin} has no such name)",
            )


@statement("D75", "servicePrincipals", "claimsMappingPolicies", "app")
def names_are_free(case: Case) -> Iterator[TenantFinding]:
    """Look up each target in the list of its kind of token."""
    for policy, target, fault in _target_faults(case):
        if fault == "name-id" or (fault == "needs-signing-key" and _signed_with_own_key(case, policy)):
            continue
        yield TenantFinding(
            expected="a name outside the restricted set",
            actual=f"{target} in policy {policy.id}, which {TARGET_FAULTS[fault]}",
        )


@statement("D76", "servicePrincipals", "claimsMappingPolicies", "app")
def names_have_no_blanks(case: Case) -> Iterator[TenantFinding]:
    """Check both ends."""
    for policy, mapping in _mappings(case):
        for entry in mapping.entries:
            for member, name in entry.names:
                if name != name.strip():
                    yield TenantFinding(
                        expected=f"{member} {shown(name.strip())}", actual=f"{shown(name)} in policy {policy.id}"
                    )


@statement("D77", "extension", "claims")
def portal_offers_names(case: Case) -> Iterator[TenantFinding]:
    """Compare the registered names with the returned ones."""
    returned = frozenset[str]() if case.claims is None else case.claims.names
    for extension in case.extensions:
        registered = set(extension.claim_names)
        if registered != returned:
            yield TenantFinding(
                expected=", ".join(map(shown, sorted(returned))),
                actual=", ".join(
                    f"{shown(name)} {'not returned' if name in registered else 'missing'}"
                    for name in sorted(registered ^ returned)
                ),
            )


@statement("D78", "servicePrincipals", "app")
def portal_is_not_overridden(case: Case) -> Iterator[TenantFinding]:
    """Check for both."""
    known = False
    for app_id in case.app_ids:
        principal = case.required_tenant.principal(app_id)
        if principal is not None and principal.portal_claims is not None:
            known = True
            if principal.portal_claims and principal.policy_ids:
                yield TenantFinding(expected="one of the two ways", actual=f"both at application {app_id}", hint=True)
    if not known:
        raise NotApplicable


@statement("D79", "servicePrincipals", "claimsMappingPolicies", "app")
def name_id_is_not_provided(case: Case) -> Iterator[TenantFinding]:
    """Look for the NameID among the targets of the endpoint's claims."""
    for policy, target, fault in _target_faults(case):
        if fault == "name-id":
            yield TenantFinding(
                expected="a property of the user as the NameID's source", actual=f"{target} in policy {policy.id}"
            )


def _assigned(case: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the assigned policies of each application; D60 reports a missing service principal."""
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


def _policies(case: Case) -> Iterator[PolicyObject]:
    """Yield the assigned policies, each once."""
    ids = dict.fromkeys(policy_id for _, policies in _assigned(case) for policy_id in policies)
    if not ids:
        raise EvidenceMissing("no claims mapping policy is assigned (D70)")
    for policy_id in ids:
        policy = case.required_tenant.policy(policy_id)
        if policy is not None:
            yield policy


def _mappings(case: Case) -> Iterator[tuple[PolicyObject, MappingPolicy]]:
    for policy in _policies(case):
        if policy.mapping is None:
            raise EvidenceMissing("the claims mapping policy cannot be read (D72)")
        yield policy, policy.mapping


def _applied(case: Case) -> Iterator[tuple[str, PolicyObject, MappingPolicy]]:
    """Yield each application with each policy that is assigned to it."""
    for policy, mapping in _mappings(case):
        yield from ((app_id, policy, mapping) for app_id, assigned in _assigned(case) if policy.id in assigned)


def _token_of(case: Case, app_id: str) -> TokenFormat:
    principal = case.required_tenant.principal(app_id)
    return "saml" if principal is not None and principal.gets_saml else "jwt"


def _target_faults(case: Case) -> Iterator[tuple[PolicyObject, str, TargetFault]]:
    """Yield each target that a policy may not emit: the policy, the member with its value, and why."""
    for policy, mapping in _mappings(case):
        for entry in mapping.entries:
            for token, member in TARGET_MEMBERS.items():
                fault = entry.target_fault(token)
                if fault is not None:
                    yield policy, f"{member} {shown(entry.target(token) or '')}", fault


def _signed_with_own_key(case: Case, policy: PolicyObject) -> bool:
    """Whether every application that the policy is assigned to has a custom signing key."""
    holders = (case.required_tenant.principal(app_id) for app_id, policies in _assigned(case) if policy.id in policies)
    return all(principal is not None and principal.has_signing_key for principal in holders)


def _elsewhere(case: Case, mapped: list[PolicyObject]) -> str:
    """Return where the policies that map the provider's claims are assigned instead."""
    if not mapped:
        return "none, and the tenant has no policy that maps a custom claims provider"
    ids = {policy.id for policy in mapped}
    holders = [one.app_id for one in case.required_tenant.principals or () if ids & set(one.policy_ids or ())]
    where = f"assigned to application {', '.join(holders)}" if holders else "not assigned"
    return f"none; policy {', '.join(sorted(ids))} is {where}"

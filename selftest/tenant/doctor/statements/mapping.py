"""D68 to D79: the claims mapping policy, without which no returned claim reaches a token.

Source of the rules: entra-docs ``custom-claims-provider-reference.md``, ``reference-claims-customization.md``.
"""

from collections.abc import Iterator

from selftest.judge.mapping import (
    PROVIDER_SOURCE,
    TARGET_FAULTS,
    entry_for,
)
from selftest.judge.mapping_warnings import entry_warnings, is_for_provider
from selftest.judge.restricted_claims import TokenFormat
from selftest.judge.warnings import shown
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.app_objects import PolicyObject
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.applied_mappings import (
    AppliedMapping,
    applied,
    assigned,
    mappings,
    policies,
    signed_with_own_key,
    target_faults,
    token_of,
)
from selftest.tenant.doctor.statements.az_rest import graph


@statement("D68", "servicePrincipals", "claimsMappingPolicies", "app", "claims")
def returned_claims_are_mapped(case: Case) -> Iterator[TenantFinding]:
    """Look for each returned name; D73 reports a policy without any, D74 a name that differs by case or spaces."""
    for one in applied(case):
        known = {(entry.id or "").strip().casefold() for entry in one.mapping.entries if is_for_provider(entry)}
        for name in sorted(case.claims.names) if case.claims is not None else ():
            if known and name.strip().casefold() not in known:
                entry = f"a claim from {PROVIDER_SOURCE} {shown(name)}" if one.portal else None
                yield TenantFinding(
                    expected=f"{entry or entry_for(name, token_of(case, one.app_id))} in {one.name}",
                    actual="no such claim" if one.portal else "no such entry",
                    fix=one.fix("add the claim. Ignore it for a claim that the application should not get."),
                )


@statement("D69", "servicePrincipals", "claimsMappingPolicies", "app")
def entries_do_what_they_say(case: Case) -> Iterator[TenantFinding]:
    """Repeat what the judge says of each entry; a misspelt source loses the claim.

    The format of a portal's claim is documented, so a claim of the endpoint for the other format only is a fault.
    """
    for one in applied(case):
        token = token_of(case, one.app_id)
        if one.portal:
            yield from _wrong_format(one, token)
            continue
        for warning in entry_warnings(one.mapping, token):
            yield TenantFinding(
                expected=f"entries of {one.name} that put each claim into the token once",
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
    for app_id, ids in assigned(case):
        principal = case.required_tenant.principal(app_id)
        if ids or principal is None or principal.portal_claims:
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
    held = list(assigned(case))
    if not any(ids for _, ids in held):
        raise NotApplicable
    for app_id, ids in held:
        principal = case.required_tenant.principal(app_id)
        if len(ids) > 1 and principal is not None:
            path = f"/servicePrincipals/{principal.id}/claimsMappingPolicies/{ids[-1]}/$ref"
            yield TenantFinding(
                expected=f"one policy at application {app_id}",
                actual=f"{len(ids)}: {', '.join(ids)}",
                command=graph("DELETE", path),
            )


@statement("D72", "servicePrincipals", "claimsMappingPolicies", "app")
def policy_is_readable(case: Case) -> Iterator[TenantFinding]:
    """Report why a policy cannot be read."""
    for policy in policies(case):
        if policy.problem is not None:
            yield TenantFinding(expected=f"a definition of policy {policy.id} as documented", actual=policy.problem)


@statement("D73", "servicePrincipals", "claimsMappingPolicies", "app")
def policy_uses_provider(case: Case) -> Iterator[TenantFinding]:
    """Check for such an entry."""
    for one in mappings(case):
        if not any(map(is_for_provider, one.mapping.entries)):
            kinds = sorted({entry.source or "a constant" for entry in one.mapping.entries})
            yield TenantFinding(
                expected=f"{'a claim' if one.portal else 'an entry'} of {one.name} with source {PROVIDER_SOURCE}",
                actual=f"sources: {', '.join(map(shown, kinds))}" if kinds else "no entry",
                fix=one.fix("add a claim whose source attribute is the custom claims provider's."),
            )


@statement("D74", "servicePrincipals", "claimsMappingPolicies", "app", "claims")
def names_are_returned(case: Case) -> Iterator[TenantFinding]:
    """Compare the names."""
    claims = case.claims
    if claims is None:
        return
    by_folded = {name.strip().casefold(): name for name in claims.names}
    for one in mappings(case):
        for name in (entry.id.strip() for entry in one.mapping.provided if entry.id is not None):
            if name in claims.names:
                continue
            near = by_folded.get(name.casefold())
            yield TenantFinding(
                expected=f"ID {shown(near)}" if near else f"one of {', '.join(map(shown, sorted(claims.names)))}",
                actual=f"{shown(name)} in {one.name} ({claims.origin} has no such name)",
                fix=one.fix(
                    "choose the attribute whose name the endpoint returns; D77 compares the list that it offers."
                ),
            )


@statement("D75", "servicePrincipals", "claimsMappingPolicies", "app")
def names_are_free(case: Case) -> Iterator[TenantFinding]:
    """Look up each target in the list of its kind of token."""
    for one, target, fault in target_faults(case):
        if fault == "name-id" or (fault == "needs-signing-key" and signed_with_own_key(case, one)):
            continue
        yield TenantFinding(
            expected="a name outside the restricted set",
            actual=f"{target} in {one.name}, which {TARGET_FAULTS[fault]}",
            fix=one.fix("give the claim another name."),
        )


@statement("D76", "servicePrincipals", "claimsMappingPolicies", "app")
def names_have_no_blanks(case: Case) -> Iterator[TenantFinding]:
    """Check both ends."""
    for one in mappings(case):
        for entry in one.mapping.provided if one.portal else one.mapping.entries:
            for member, name in entry.names:
                if name != name.strip():
                    yield TenantFinding(
                        expected=f"{member} {shown(name.strip())}",
                        actual=f"{shown(name)} in {one.name}",
                        fix=one.fix("remove the space."),
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
    for one, target, fault in target_faults(case):
        if fault == "name-id":
            yield TenantFinding(
                expected="a property of the user as the NameID's source",
                actual=f"{target} in {one.name}",
                fix=one.fix("take the Unique User Identifier from a property of the user."),
            )


def _wrong_format(one: AppliedMapping, token: TokenFormat) -> Iterator[TenantFinding]:
    """Yield the endpoint's claims in the portal's that no token of this format has."""
    emitted = {entry.id for entry in one.mapping.provided if entry.target(token) is not None}
    for name in dict.fromkeys(entry.id or "" for entry in one.mapping.provided if entry.id not in emitted):
        yield TenantFinding(
            expected=f"tokenFormat {token} of the claim from {shown(name)} in {one.name}",
            actual=f"another format only; the application gets {token}",
            fix=one.fix(
                "add the claim for the protocol of the application's single sign-on, or change tokenFormat "
                "with PATCH https://graph.microsoft.com/beta/servicePrincipals/ID/claimsPolicy."
            ),
        )


def _elsewhere(case: Case, mapped: list[PolicyObject]) -> str:
    """Return where the policies that map the provider's claims are assigned instead."""
    if not mapped:
        return "none, and the tenant has no policy that maps a custom claims provider"
    ids = {policy.id for policy in mapped}
    holders = [one.app_id for one in case.required_tenant.principals or () if ids & set(one.policy_ids or ())]
    where = f"assigned to application {', '.join(holders)}" if holders else "not assigned"
    return f"none; policy {', '.join(sorted(ids))} is {where}"

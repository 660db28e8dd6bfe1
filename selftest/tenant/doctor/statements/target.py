"""D60 to D67: the application that is the audience of the token, which must allow mapped claims."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.app_objects import ApplicationObject, PrincipalObject
from selftest.tenant.doctor.evidence.key_credential import KeyCredential
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import patch_application
from selftest.tenant.doctor.statements.principals import missing_principal

#: Time to roll a signing key and to have every client read the new one.
KEY_DAYS: Final = 30
_ACCEPT: Final = {"api": {"acceptMappedClaims": True}}


@statement("D60", "servicePrincipals", "app")
def application_is_here(case: Case) -> Iterator[TenantFinding]:
    """Check for the service principal."""
    for app_id in case.app_ids:
        if case.required_tenant.principal(app_id) is None:
            yield missing_principal(app_id)


@statement("D61", "applications", "servicePrincipals", "app")
def claims_are_accepted(case: Case) -> Iterator[TenantFinding]:
    """Check the switch of single-tenant applications; D62 checks the others, and D67 keys that are not valid."""
    own = [(application, principal) for application, principal in _targets(case) if not application.multi_tenant]
    if not own:
        raise NotApplicable
    lapsed = False
    for application, principal in own:
        if application.api.accept_mapped_claims:
            continue
        keys = _keys(application, principal)
        lapsed = lapsed or (bool(keys) and all(key.state(case.now) != "valid" for key in keys))
        if not keys:
            yield TenantFinding(
                expected=f"acceptMappedClaims true for application {application.app_id}",
                actual="null or false, and no custom signing key",
                command=patch_application(application.app_id, _ACCEPT),
            )
    if lapsed:
        raise EvidenceMissing("acceptMappedClaims is not true, and the application's own key is not valid (D67)")


@statement("D62", "applications", "servicePrincipals", "app")
def several_tenants_need_a_key(case: Case) -> Iterator[TenantFinding]:
    """Check the audience and the keys."""
    for application, principal in _targets(case):
        if application.multi_tenant and not _keys(application, principal):
            yield TenantFinding(
                expected=f"signInAudience AzureADMyOrg for application {application.app_id}, or a signing key",
                actual=f"{application.sign_in_audience}, and no custom signing key",
                command=patch_application(application.app_id, {"signInAudience": "AzureADMyOrg"}),
            )


@statement("D63", "applications", "servicePrincipals", "app")
def audience_may_carry(case: Case) -> Iterator[TenantFinding]:
    """Check the hosts of the URIs; with version 2 they matter to a client that asks by one of them."""
    for application, principal in _targets(case):
        signed = any(key.state(case.now) == "valid" for key in _keys(application, principal))
        if signed or not application.api.accept_mapped_claims:
            continue
        foreign = [uri for uri in application.identifier_uris if not _is_verified(uri, case)]
        if foreign and application.token_version == 2:
            yield TenantFinding(
                expected=f"clients ask for {application.app_id}/.default, or by a URI in a verified domain",
                actual=f"a client may ask by {', '.join(foreign)}",
                fix=f"The version is 2 already. Let clients ask for the scope {application.app_id}/.default, not for "
                "one under a URI that is not in a verified domain; or give the application a URI in a verified domain, "
                "and let clients ask by that.",
                hint=True,
                possible=True,
            )
        elif foreign:
            yield TenantFinding(
                expected=f"requestedAccessTokenVersion 2 for application {application.app_id}, or URIs in "
                "verified domains",
                actual=f"{application.token_version or 'null'}, and {', '.join(foreign)}",
                command=patch_application(application.app_id, {"api": {"requestedAccessTokenVersion": 2}}),
            )


@statement("D64", "applications", "servicePrincipals", "app")
def tokens_are_v2(case: Case) -> Iterator[TenantFinding]:
    """Check the version."""
    for application, _ in _targets(case):
        if application.token_version != 2:
            yield TenantFinding(
                expected=f"requestedAccessTokenVersion 2 for application {application.app_id}",
                actual=f"{application.token_version or 'null'}",
                command=patch_application(application.app_id, {"api": {"requestedAccessTokenVersion": 2}}),
            )


@statement("D65", "servicePrincipals", "app")
def users_are_assigned(case: Case) -> Iterator[TenantFinding]:
    """Check the switch."""
    for app_id in case.app_ids:
        principal = case.required_tenant.principal(app_id)
        if principal is not None and principal.app_role_assignment_required:
            yield TenantFinding(
                expected="appRoleAssignmentRequired false, or every user assigned",
                actual="true",
                hint=True,
                possible=True,
            )


@statement("D66", "tenant-kind", "app")
def application_is_in_flow(case: Case) -> Iterator[TenantFinding]:
    """Skip with the manual check as the reason, in an external tenant."""
    if not case.required_tenant.external:
        raise NotApplicable
    raise EvidenceMissing(
        "an external tenant: the application must be in a user flow, which is not read here; see Entra > External "
        "Identities > User flows > the flow > Applications"
    )


@statement("D67", "applications", "servicePrincipals", "app")
def signing_key_is_valid(case: Case) -> Iterator[TenantFinding]:
    """Check the dates; D61 and D62 report a missing key."""
    held = [(application, keys) for application, principal in _targets(case) if (keys := _keys(application, principal))]
    if not held:
        raise NotApplicable
    soon = case.now + dt.timedelta(days=KEY_DAYS)
    for application, keys in held:
        valid = [key for key in keys if key.state(case.now) == "valid"]
        ends = [key.ends_at for key in valid]
        if any(end is None or end > soon for end in ends):
            continue
        accepting, single = application.api.accept_mapped_claims, not application.multi_tenant
        yield TenantFinding(
            expected=f"a signing key of application {application.app_id} that is valid for {KEY_DAYS} days or more"
            + (", or acceptMappedClaims true" if single and not accepting else ""),
            actual=", ".join(key.shown(case.now) for key in valid or keys),
            fix=_key_fix(accepting=accepting) if single else None,
            command=patch_application(application.app_id, _ACCEPT) if single and not accepting else None,
            hint=bool(valid) or (accepting and single),
        )


def _key_fix(*, accepting: bool) -> str:
    """Return the fix for an application of one tenant, which needs no key of its own."""
    if accepting:
        return (
            "The application accepts mapped claims and needs no key of its own: remove what has expired, and a key "
            "that ends soon once no client reads the metadata at ?appid=<client id>."
        )
    return (
        "The application is for one tenant and needs no key of its own: Entra > App registrations > the application > "
        "Manifest: acceptMappedClaims true; then remove the key. To keep a key instead, place a new one: `explain "
        "AADSTS50146` has the commands."
    )


def _keys(application: ApplicationObject, principal: PrincipalObject) -> list[KeyCredential]:
    """Return its own signing keys, at the service principal (the documented place) or at the registration."""
    return [key for key in (*principal.key_credentials, *application.key_credentials) if key.signs]


def _targets(case: Case) -> list[tuple[ApplicationObject, PrincipalObject]]:
    """Return the applications that get a JSON Web Token, with their service principals; D60 reports missing ones."""
    found = []
    for app_id in case.app_ids:
        principal = case.required_tenant.principal(app_id)
        application = case.required_tenant.application(app_id)
        if principal is None or principal.gets_saml:
            continue
        if application is None:
            raise EvidenceMissing(f"application {app_id} is registered in another tenant, not in this one")
        found.append((application, principal))
    if not found:
        raise NotApplicable
    return found


def _is_verified(uri: str, case: Case) -> bool:
    """Whether the host of a URI is a verified domain or below one."""
    domains = case.required_tenant.verified_domains
    if domains is None:
        raise EvidenceMissing("the tenant's verified domains were not read", asked=True)
    host = uri.partition("://")[2].partition("/")[0].lower()
    return any(host == domain or host.endswith(f".{domain}") for domain in domains if domain)

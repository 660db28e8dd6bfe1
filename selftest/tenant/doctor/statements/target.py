"""D60 to D66: the application that is the audience of the token, which must allow mapped claims."""

from collections.abc import Iterator
from typing import Final

from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.app_objects import ApplicationObject, PrincipalObject
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import patch_application
from selftest.tenant.doctor.statements.principals import missing_principal

_CONFIGURE: Final = "entra-docs identity-platform/custom-extension-tokenissuancestart-configuration.md (step 2.3)"
_JWT: Final = "entra-docs identity-platform/jwt-claims-customization.md"
_MANIFEST: Final = "Entra > App registrations > the application > Manifest"
_NO_KEY: Final = "AADSTS50146"
_AUDIENCE: Final = "AADSTS501461"
_SAML: Final = "saml"


@statement(
    "D60",
    "the application is in the tenant",
    needs=("servicePrincipals", "app"),
    source=_CONFIGURE,
    why="The claims mapping policy is assigned to its service principal, which users need to sign in to it.",
    fix="Entra > App registrations > the application > Overview > Managed application in local directory > Create.",
    explain="A service principal has the client id that --app or a listener names.",
)
def application_is_here(case: Case) -> Iterator[TenantFinding]:
    """Check for the service principal."""
    for app_id in case.app_ids:
        if case.required_tenant.principal(app_id) is None:
            yield missing_principal(app_id)


@statement(
    "D61",
    "the application accepts mapped claims",
    code=_NO_KEY,
    needs=("applications", "servicePrincipals", "app"),
    source=f"{_CONFIGURE}; {_JWT}",
    why="Entra issues a token with mapped claims only to an application that accepts them or has a custom signing key.",
    fix=f"{_MANIFEST}: acceptMappedClaims true.",
    explain="api.acceptMappedClaims of the application that is the token's audience is true: the client for an ID "
    "token, the API for an access token. Or its service principal has a custom signing key. SAML does not need it.",
    bad='"api": {"acceptMappedClaims": null}',
    good='"api": {"acceptMappedClaims": true}',
)
def claims_are_accepted(case: Case) -> Iterator[TenantFinding]:
    """Check the switch of single-tenant applications; D62 checks the others."""
    for application, principal in _targets(case):
        if not application.multi_tenant and not application.api.accept_mapped_claims and not principal.has_signing_key:
            yield TenantFinding(
                expected=f"acceptMappedClaims true for application {application.app_id}",
                actual="null or false, and no custom signing key",
                command=patch_application(application.app_id, {"api": {"acceptMappedClaims": True}}),
            )


@statement(
    "D62",
    "a multi-tenant application has a custom signing key",
    code=_NO_KEY,
    needs=("applications", "servicePrincipals", "app"),
    source=f"{_CONFIGURE} (warning); {_JWT}",
    why="acceptMappedClaims is for single-tenant applications: an administrator of another tenant could map claims.",
    fix="Entra > App registrations > the application > Authentication: accounts in this directory only; or a custom"
    " signing key on its service principal.",
    explain="signInAudience is AzureADMyOrg, or the service principal has a signing key (keyCredentials, usage Sign).\n"
    "Its tokens then verify only with the metadata at ?appid=<client id>.",
    bad='"signInAudience": "AzureADMultipleOrgs"',
    good='"signInAudience": "AzureADMyOrg"',
)
def several_tenants_need_a_key(case: Case) -> Iterator[TenantFinding]:
    """Check the audience and the keys."""
    for application, principal in _targets(case):
        if application.multi_tenant and not principal.has_signing_key:
            yield TenantFinding(
                expected=f"signInAudience AzureADMyOrg for application {application.app_id}, or a signing key",
                actual=f"{application.sign_in_audience}, and no custom signing key",
                command=patch_application(application.app_id, {"signInAudience": "AzureADMyOrg"}),
            )


@statement(
    "D63",
    "the token's audience may have mapped claims",
    code=_AUDIENCE,
    needs=("applications", "servicePrincipals", "app"),
    source=_JWT,
    why="With acceptMappedClaims the audience must be the application's GUID or a URI in a verified domain.",
    fix=f"{_MANIFEST}: requestedAccessTokenVersion 2; or an identifier URI in a verified domain.",
    explain="Tokens of version 2 have the GUID. For version 1 and null every identifier URI of the application is in a "
    "verified domain of the tenant, which is read from its organization object.",
    bad="api://claims.azurewebsites.net/<client id>, with version 1",
    good="api://<client id>.contoso.com, where contoso.com is verified; or version 2",
)
def audience_may_carry(case: Case) -> Iterator[TenantFinding]:
    """Check the version, and then the hosts of the URIs."""
    for application, principal in _targets(case):
        if application.token_version == 2 or principal.has_signing_key or not application.api.accept_mapped_claims:
            continue
        foreign = [uri for uri in application.identifier_uris if not _is_verified(uri, case)]
        if foreign:
            yield TenantFinding(
                expected=f"requestedAccessTokenVersion 2 for application {application.app_id}, or URIs in "
                "verified domains",
                actual=f"{application.token_version or 'null'}, and {', '.join(foreign)}",
                command=patch_application(application.app_id, {"api": {"requestedAccessTokenVersion": 2}}),
            )


@statement(
    "D64",
    "the application requests tokens of version 2",
    level="hardening",
    code=_AUDIENCE,
    needs=("applications", "servicePrincipals", "app"),
    source=_CONFIGURE,
    why="The documented configuration has it, and an identifier URI that is added later fails without it.",
    fix=f"{_MANIFEST}: requestedAccessTokenVersion 2.",
    explain="api.requestedAccessTokenVersion of the application that is the token's audience is 2.",
    bad='"api": {"requestedAccessTokenVersion": null}',
    good='"api": {"requestedAccessTokenVersion": 2}',
)
def tokens_are_v2(case: Case) -> Iterator[TenantFinding]:
    """Check the version."""
    for application, _ in _targets(case):
        if application.token_version != 2:
            yield TenantFinding(
                expected=f"requestedAccessTokenVersion 2 for application {application.app_id}",
                actual=f"{application.token_version or 'null'}",
                command=patch_application(application.app_id, {"api": {"requestedAccessTokenVersion": 2}}),
            )


@statement(
    "D65",
    "users need no assignment to the application",
    level="hardening",
    code="AADSTS50105",
    needs=("servicePrincipals", "app"),
    source="entra-docs identity-platform/custom-extension-configure-saml-app.md",
    why="Entra refuses an unassigned user before it requests claims.",
    fix="Entra > Enterprise applications > the application > Users and groups: assign them.",
    explain="appRoleAssignmentRequired of the application's service principal is not true. A hint: often intended.",
)
def users_are_assigned(case: Case) -> Iterator[TenantFinding]:
    """Check the switch."""
    for app_id in case.app_ids:
        principal = case.required_tenant.principal(app_id)
        if principal is not None and principal.app_role_assignment_required:
            yield TenantFinding(
                expected="appRoleAssignmentRequired false, or every user assigned", actual="true", hint=True
            )


@statement(
    "D66",
    "the application is in a user flow",
    level="hardening",
    needs=("tenant-kind", "app"),
    source=f"{_CONFIGURE} (external tenants)",
    why="In an external tenant no user can sign up or sign in to an application that no user flow names.",
    fix="Entra > External Identities > User flows > the flow > Applications > Add application.",
    explain="The doctor does not read user flows. Check it in the portal, or with "
    '`az rest --url "https://graph.microsoft.com/v1.0/identity/authenticationEventsFlows"`.',
)
def application_is_in_flow(case: Case) -> Iterator[TenantFinding]:
    """Skip with the manual check as the reason, in an external tenant."""
    if not case.required_tenant.external:
        raise NotApplicable
    raise EvidenceMissing(
        "an external tenant: the application must be in a user flow, which is not read here; see Entra > External "
        "Identities > User flows > the flow > Applications"
    )


def _targets(case: Case) -> list[tuple[ApplicationObject, PrincipalObject]]:
    """Return the applications that get a JSON Web Token, with their service principals; D60 reports missing ones."""
    found = []
    for app_id in case.app_ids:
        principal = case.required_tenant.principal(app_id)
        application = case.required_tenant.application(app_id)
        if principal is None or (principal.preferred_single_sign_on_mode or "").lower() == _SAML:
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

"""D60 to D66: the application that is the audience of the token, which has to allow mapped claims."""

from collections.abc import Iterator
from typing import Final

from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.diagnosis import CannotTell, NotConcerned, Problem, diagnosis
from selftest.tenant.doctor.evidence.app_objects import Application, Principal
from selftest.tenant.doctor.statements.az_rest import create_principal, patch_application

_CONFIGURE: Final = "entra-docs identity-platform/custom-extension-tokenissuancestart-configuration.md (step 2.3)"
_JWT: Final = "entra-docs identity-platform/jwt-claims-customization.md"
_MANIFEST: Final = "Entra > App registrations > the application > Manifest"
_NO_KEY: Final = "AADSTS50146"
_AUDIENCE: Final = "AADSTS501461"
_SAML: Final = "saml"


@diagnosis(
    "D60",
    "the application is in the tenant",
    needs=("servicePrincipals", "app"),
    source=_CONFIGURE,
    why="The claims mapping policy is assigned to its service principal; without one nobody signs in to it here.",
    fix="Entra > App registrations > the application > Overview > Managed application in local directory > Create.",
    explain="A service principal has the client id that --app or a listener names.",
)
def application_is_here(case: Case) -> Iterator[Problem]:
    """Look for the service principal."""
    for app_id in case.app_ids:
        if case.seen.principal(app_id) is None:
            yield Problem(
                expected=f"a service principal of application {app_id}", actual="none", command=create_principal(app_id)
            )


@diagnosis(
    "D61",
    "the application accepts mapped claims",
    code=_NO_KEY,
    needs=("applications", "servicePrincipals", "app"),
    source=f"{_CONFIGURE}; {_JWT}",
    why="Entra issues no token with mapped claims to an application that has neither said that it accepts them nor a"
    " signing key of its own.",
    fix=f"{_MANIFEST}: acceptMappedClaims true.",
    explain="api.acceptMappedClaims of the application that is the token's audience is true: the client for an "
    "ID token, "
    "the API for an access token. Or its service principal has a signing key of its own. SAML is not concerned.",
    bad='"api": {"acceptMappedClaims": null}',
    good='"api": {"acceptMappedClaims": true}',
)
def claims_are_accepted(case: Case) -> Iterator[Problem]:
    """Look at the switch of single-tenant applications; others are D62's."""
    for application, principal in _targets(case):
        if not application.multi_tenant and not application.maps_claims and not principal.signs_itself:
            yield Problem(
                expected=f"acceptMappedClaims true for application {application.app_id}",
                actual="null or false, and no signing key of its own",
                command=patch_application(application.app_id, {"api": {"acceptMappedClaims": True}}),
            )


@diagnosis(
    "D62",
    "an application of several tenants has a signing key of its own",
    code=_NO_KEY,
    needs=("applications", "servicePrincipals", "app"),
    source=f"{_CONFIGURE} (warning); {_JWT}",
    why="acceptMappedClaims is for single-tenant applications: an administrator of another tenant could map claims.",
    fix="Entra > App registrations > the application > Authentication: accounts in this directory only; or a custom"
    " signing key on its service principal.",
    explain="signInAudience is AzureADMyOrg, or the service principal has a signing key (keyCredentials, usage Sign).\n"
    "Its tokens then verify with the metadata at ?appid=<client id> only.",
    bad='"signInAudience": "AzureADMultipleOrgs"',
    good='"signInAudience": "AzureADMyOrg"',
)
def several_tenants_need_a_key(case: Case) -> Iterator[Problem]:
    """Look at the audience and at the keys."""
    for application, principal in _targets(case):
        if application.multi_tenant and not principal.signs_itself:
            yield Problem(
                expected=f"signInAudience AzureADMyOrg for application {application.app_id}, or a signing key",
                actual=f"{application.audience}, and no signing key of its own",
                command=patch_application(application.app_id, {"signInAudience": "AzureADMyOrg"}),
            )


@diagnosis(
    "D63",
    "the token's audience may carry mapped claims",
    code=_AUDIENCE,
    needs=("applications", "servicePrincipals", "app"),
    source=_JWT,
    why="With acceptMappedClaims the audience has to be the application's GUID or a URI in a verified domain.",
    fix=f"{_MANIFEST}: requestedAccessTokenVersion 2; or an identifier URI in a verified domain.",
    explain="Tokens of version 2 carry the GUID. For version 1 and null every identifier URI of the application "
    "is in a "
    "verified domain of the tenant, which is read from its organization object.",
    bad="api://claims.azurewebsites.net/<client id>, with version 1",
    good="api://<client id>.contoso.com, where contoso.com is verified; or version 2",
)
def audience_may_carry(case: Case) -> Iterator[Problem]:
    """Look at the version, and then at the URIs' hosts."""
    for application, principal in _targets(case):
        if application.token_version == 2 or principal.signs_itself or not application.maps_claims:
            continue
        foreign = [uri for uri in application.identifier_uris if not _is_verified(uri, case)]
        if foreign:
            yield Problem(
                expected=f"requestedAccessTokenVersion 2 for application {application.app_id}, or URIs in "
                "verified domains",
                actual=f"{application.token_version or 'null'}, and {', '.join(foreign)}",
                command=patch_application(application.app_id, {"api": {"requestedAccessTokenVersion": 2}}),
            )


@diagnosis(
    "D64",
    "the application asks for tokens of version 2",
    level="should",
    code=_AUDIENCE,
    needs=("applications", "servicePrincipals", "app"),
    source=_CONFIGURE,
    why="The documented set-up has it, and an identifier URI that is added later fails without it.",
    fix=f"{_MANIFEST}: requestedAccessTokenVersion 2.",
    explain="api.requestedAccessTokenVersion of the application that is the token's audience is 2.",
    bad='"api": {"requestedAccessTokenVersion": null}',
    good='"api": {"requestedAccessTokenVersion": 2}',
)
def tokens_are_v2(case: Case) -> Iterator[Problem]:
    """Look at the version."""
    for application, _ in _targets(case):
        if application.token_version != 2:
            yield Problem(
                expected=f"requestedAccessTokenVersion 2 for application {application.app_id}",
                actual=f"{application.token_version or 'null'}",
                command=patch_application(application.app_id, {"api": {"requestedAccessTokenVersion": 2}}),
            )


@diagnosis(
    "D65",
    "users need no assignment to the application",
    level="should",
    code="AADSTS50105",
    needs=("servicePrincipals", "app"),
    source="entra-docs identity-platform/custom-extension-configure-saml-app.md",
    why="A user who is not assigned is refused before any claim is asked for.",
    fix="Entra > Enterprise applications > the application > Users and groups: assign them.",
    explain="appRoleAssignmentRequired of the application's service principal is not true. A hint: it is often meant.",
)
def users_are_assigned(case: Case) -> Iterator[Problem]:
    """Look at the switch."""
    for app_id in case.app_ids:
        principal = case.seen.principal(app_id)
        if principal is not None and principal.assignment_required:
            yield Problem(expected="appRoleAssignmentRequired false, or every user assigned", actual="true", hint=True)


@diagnosis(
    "D66",
    "the application is in a user flow",
    level="should",
    needs=("tenant-kind", "app"),
    source=f"{_CONFIGURE} (external tenants)",
    why="In a tenant for customers nobody can sign up or in to an application that no user flow names.",
    fix="Entra > External Identities > User flows > the flow > Applications > Add application.",
    explain="It cannot be seen from what the doctor reads. See it in the portal at that place, or with "
    '`az rest --url "https://graph.microsoft.com/v1.0/identity/authenticationEventsFlows"`.',
)
def application_is_in_flow(case: Case) -> Iterator[Problem]:
    """Say that it is to be looked at by hand, in an external tenant."""
    yield from ()  # a generator, as every statement is
    if not case.seen.external:
        raise NotConcerned
    raise CannotTell(
        "an external tenant: the application must be in a user flow, which is not read here; see Entra > External "
        "Identities > User flows > the flow > Applications"
    )


def _targets(case: Case) -> list[tuple[Application, Principal]]:
    """Give the applications that get a JSON Web Token, with their service principals; missing ones are D60's."""
    found = []
    for app_id in case.app_ids:
        principal = case.seen.principal(app_id)
        application = case.seen.application(app_id)
        if principal is None or (principal.single_sign_on or "").lower() == _SAML:
            continue
        if application is None:
            raise CannotTell(f"application {app_id} is registered in another tenant, so its registration is not here")
        found.append((application, principal))
    if not found:
        raise NotConcerned
    return found


def _is_verified(uri: str, case: Case) -> bool:
    """Say whether a URI is the application's GUID, or its host is a verified domain or below one."""
    domains = case.seen.verified_domains
    if domains is None:
        raise CannotTell("the tenant's verified domains were not read", asked=True)
    host = uri.partition("://")[2].partition("/")[0].lower()
    return any(host == domain or host.endswith(f".{domain}") for domain in domains if domain)

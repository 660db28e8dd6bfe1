"""Codes that users, apps and administrators meet: a wrapper around the event's code, or a neighbour of it."""

from functools import partial
from typing import Final

from selftest.judge.codes.entry import AADSTS, JWT, SAML, TROUBLESHOOT, Code

_SHOWN: Final = "OpenID Connect: the app receives this code. SAML: Entra's error page shows it."

_entra: Final = partial(Code, phase="Entra's side")

ENTRIES: Final = (
    _entra(
        code="AADSTS1100001",
        name="Non-retryable error",
        meaning="The wrapper in which users and apps meet most of the 1003xxx codes.",
        cause=("any code of this table; the sign-in's Authentication Events name it",),
        confirm="Open the sign-in by its correlation id and read the error code on the Authentication Events tab.",
        fix="Find the inner code and follow its entry.",
        source="MicrosoftDocs/entra-docs issue 399; Microsoft Q&A 12786368",
        commands=("signin-log --file FILE --failed", "signin-log --tenant TENANT --since 24h --failed"),
        related=("C", "D", "L", "T"),
        seen=_SHOWN,
        conflict=(
            "It is missing from the public list of AADSTS codes, and inner codes sometimes appear with the prefix "
            "themselves, as AADSTS1003021. Try: take the correlation id from the error page to the sign-in log."
        ),
    ),
    _entra(
        code="AADSTS1100000",
        name="Error around the event, of another kind",
        meaning="Reported in addition to AADSTS1100001 for the same feature; by that code's text, a temporary fault.",
        cause=(
            "a temporary fault while the extension was called",
            "the causes of AADSTS1100001, seen by a client that may retry",
        ),
        confirm="Sign in again with the same user; if it persists, read the Authentication Events of that sign-in.",
        fix="Retry once; then find the inner code and follow its entry.",
        source="field reports in community knowledge bases; in no page of Microsoft's",
        commands=("signin-log --file FILE --failed",),
        related=("C", "D", "L", "T"),
        seen=_SHOWN,
        conflict=(
            "No page of Microsoft's describes it; that it is the variant that may be retried is read from the name of "
            "the other. Try: treat it as AADSTS1100001."
        ),
    ),
    _entra(
        code="AADSTS50146",
        name="MissingCustomSigningKey",
        meaning="The app has mapped claims, but neither its own signing key nor permission to do without one.",
        cause=(
            "acceptMappedClaims was never set on the application that is the token's audience",
            "it was set on the client while the token is for an API",
            "the app is multi-tenant and has no custom signing key",
        ),
        confirm="Read api.acceptMappedClaims of the application whose id is the token's aud.",
        fix="Single tenant: set api.acceptMappedClaims to true. Multi-tenant: give the app a custom signing key.",
        source=f"{AADSTS}; {JWT}",
        commands=("doctor --file FILE",),
        related=("D61", "D62"),
        seen="OpenID Connect: the app gets this code and no token. SAML apps have their own certificate.",
    ),
    _entra(
        code="AADSTS501461",
        name="AcceptMappedClaims audience",
        meaning="acceptMappedClaims is on, but the token's audience is not one for which it may be used.",
        cause=(
            "the client asks for a scope under an identifier URI whose domain the tenant has not verified",
            "the API's identifier URI is at azurewebsites.net",
        ),
        confirm="Compare the resource part of the requested scope with the tenant's verified domains.",
        fix="Ask for the application's GUID as the resource, use a verified domain, or use a custom signing key.",
        source=JWT,
        commands=("doctor --file FILE",),
        related=("D63", "D64"),
        seen="OpenID Connect: the app gets this code and no token. SAML is not affected.",
    ),
    _entra(
        code="AADSTS50105",
        name="EntitlementGrantsNotFound",
        meaning="The app requires user assignment, and this user is not assigned.",
        cause=(
            "assignment is required and neither the user nor one of the user's groups is assigned",
            "the user is in a nested group, which does not count",
        ),
        confirm="Read appRoleAssignmentRequired of the app's service principal and its appRoleAssignedTo.",
        fix="Assign the user or their group, or switch off the requirement.",
        source=f"{SAML}; {AADSTS}",
        related=("D65",),
        seen="OpenID Connect and SAML: Entra says that the user has no access to the application.",
    ),
    _entra(
        code="AADB2C90063",
        name="There is a problem with the service",
        meaning="An extension could not be created or validated in an external tenant; no sign-in is affected.",
        cause=(
            "the tenant has no service principal of 99045fe1-7639-4a75-9d4a-577b6ca3810f, Entra's event service",
            "an incident of the service, as in May 2025",
        ),
        confirm="GET servicePrincipals(appId='99045fe1-7639-4a75-9d4a-577b6ca3810f') in the external tenant: 404.",
        fix="POST /servicePrincipals with that appId, then create the extension again (Graph, if the portal fails).",
        source=f"microsoft/woodgrove-groceries issue 50; Stack Overflow 79640944; {TROUBLESHOOT} (by its absence)",
        commands=("doctor --file FILE",),
        related=("D32",),
        seen="The administrator who creates the extension, in the portal or from Graph. Users are not affected yet.",
        conflict=(
            "The text blames the service; the reports end with the missing service principal. Try that first: it "
            "takes one request, and 1003017 would follow from it anyway."
        ),
    ),
)

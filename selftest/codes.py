"""What every code in Entra's sign-in log means for a token issuance event, and what to do about it.

This is the documented table 1003000 to 1003027 and the AADSTS codes that a user or an app sees instead. The
documentation gives each code one line and no phase; the phase, the order of the causes and the ways to confirm one
are ours, drawn from the contract and from reports. Where sources disagree, ``conflict`` tells both sides.

One long table, because it is one thing: it is read by people, by ``explain`` and by the page of codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

type Phase = Literal["before the call", "during the call", "Entra's side"]

_TROUBLESHOOT: Final = "entra-docs identity-platform/custom-extension-troubleshoot.md"
_REFERENCE: Final = "entra-docs identity-platform/custom-claims-provider-reference.md"
_CONFIGURE: Final = "entra-docs identity-platform/custom-extension-tokenissuancestart-configuration.md"
_SAML: Final = "entra-docs identity-platform/custom-extension-configure-saml-app.md"
_JWT: Final = "entra-docs identity-platform/jwt-claims-customization.md"
_AADSTS: Final = "entra-docs identity-platform/reference-error-codes.md"
_CLIENT: Final = "Microsoft Graph v1.0 customExtensionClientConfiguration"
_VALIDATE: Final = "Microsoft Graph v1.0 customAuthenticationExtension: validateAuthenticationConfiguration"

_LOST: Final = (
    "OpenID Connect: the browser returns to the app with a generic error, mostly AADSTS1100001, and no token. "
    "SAML: Entra keeps the user on its own error page. The code itself stands only in the sign-in log."
)
_NO_REQUEST: Final = "the sign-in log shows 0 attempts and the endpoint's log shows no request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code that Entra logs or shows.

    Attributes:
        code: the number in the log, or the AADSTS code as text.
        phase: when Entra gives up: before it calls the endpoint, during the call, or for a reason of its own.
        cause: what leads to it, the likeliest first.
        confirm: how to tell that it is this and not a neighbour.
        seen: what the app and the user see, for OpenID Connect and SAML.
        related: ids or leading letters of the checks that find the cause before Entra does.
        conflict: where sources disagree, both sides; None when they do not.
    """

    code: int | str
    name: str
    phase: Phase
    meaning: str
    cause: tuple[str, ...]
    confirm: str
    fix: str
    source: str
    related: tuple[str, ...] = ()
    seen: str = _LOST
    conflict: str | None = None


_TABLE: Final = (
    Code(
        code=1003000,
        name="EventHandlerUnexpectedError",
        phase="Entra's side",
        meaning="Entra failed while it handled the event, for a reason that it does not name.",
        cause=(
            "a passing fault of the service",
            "a listener or handler object that the service cannot read",
        ),
        confirm="Sign in again; when it stays, read the listener through Graph and look for a handler that is null.",
        fix="Retry; create the listener again; open a support case with the correlation id and the time.",
        source=_TROUBLESHOOT,
        related=("D",),
    ),
    Code(
        code=1003001,
        name="CustomExtensionUnexpectedError",
        phase="during the call",
        meaning="Calling the endpoint failed in a way that no other code describes.",
        cause=(
            "a reply that is not valid HTTP, or a connection closed in the middle of one",
            "a TLS handshake that breaks off",
            "a fault of the service",
        ),
        confirm="Call the endpoint from outside its network with the same body; compare with its gateway's log.",
        fix="Mend what breaks the HTTP exchange (proxy, gateway, worker crash); then ask support.",
        source=_TROUBLESHOOT,
        related=("C", "F"),
    ),
    Code(
        code=1003002,
        name="CustomExtensionInvalidHTTPStatus",
        phase="during the call",
        meaning="The endpoint answered with a status that this event does not accept.",
        cause=(
            "401 or 403: the token is refused (issuer, audience, caller id, App Service Authentication's allow-list)",
            "404: the target URL has the wrong route or function name",
            "500: the function raised",
            "502 or 503: the host is starting, scaled to zero or without its storage account",
            "201, 204 or a redirect: a success that is not 200",
        ),
        confirm="The sign-in log holds the HTTP status of the last attempt; find the same correlation id in your log.",
        fix="Answer 200 and nothing else; for 401 and 403 compare iss, aud and azp or appid with the settings.",
        source=f"{_TROUBLESHOOT}; {_REFERENCE}",
        related=("C", "T", "B"),
        conflict=(
            "The accepted statuses are said to be defined for each extension type, but no list is published: only 200 "
            "is shown. A refused token is documented under 1003005 and reported from the field as this code."
        ),
    ),
    Code(
        code=1003003,
        name="CustomExtensionInvalidResponseBody",
        phase="during the call",
        meaning="The body is not JSON, or not JSON of the documented shape.",
        cause=(
            "data or data.actions missing, misspelt or of another type",
            "data's @odata.type absent or not microsoft.graph.onTokenIssuanceStartResponseData",
            "an HTML error page or a truncated body sent with status 200",
            "claims given as a list or as text",
            "a body that is compressed or not UTF-8",
        ),
        confirm="Save the body and run `python -m selftest judge` on it: the reason names the member.",
        fix="Send the documented object: data, its type, and one provideClaimsForToken action with claims.",
        source=f"{_TROUBLESHOOT}; {_REFERENCE}",
        related=("C",),
    ),
    Code(
        code=1003004,
        name="CustomExtensionThrottlingError",
        phase="before the call",
        meaning="Entra limits how often it calls extensions, and the limit is reached.",
        cause=(
            "a burst of sign-ins, or one client that asks for tokens in a loop",
            "a load test through Entra instead of against the endpoint",
            "in an External ID trial tenant, the request limit of the tenant itself",
        ),
        confirm=f"Count sign-ins a second around the failure; {_NO_REQUEST}.",
        fix="Lower the rate; let clients cache their tokens; load-test the endpoint directly.",
        source=f"{_TROUBLESHOOT}; entra-docs external-id/customers/reference-service-limits.md",
        related=("L",),
        conflict="The limit behind this code is not published, and that no call is made is an inference of ours.",
    ),
    Code(
        code=1003005,
        name="CustomExtensionTimedOut",
        phase="during the call",
        meaning="No whole answer came within the configured time, in the first call or its retry.",
        cause=(
            "a cold start: the plan lets the app sleep or scales it out",
            "a slow downstream call, or a downstream token fetched anew for every sign-in",
            "the timeout was never set, so that it is 1000 ms instead of 2000 ms",
            "signing keys fetched while the request waits",
            "a token that the endpoint refuses",
        ),
        confirm=(
            "Compare total_ms in the endpoint's log with the configured timeout; where the log has a 401 or nothing "
            "slow, check the token before the speed."
        ),
        fix=(
            "Set timeoutInMilliseconds to 2000 and maximumRetries to 1; keep the app warm; cache downstream tokens; "
            "bound the downstream call to about 1.2 s."
        ),
        source=f"{_TROUBLESHOOT}; {_CLIENT}",
        related=("L", "F", "T"),
        conflict=(
            "The troubleshooting page says that this code can also mean an invalid access token; reports see 1003002 "
            "for a 401. The timeout is told as two seconds there, while Graph stores 1000 ms when none is given."
        ),
    ),
    Code(
        code=1003006,
        name="CustomExtensionInvalidResponseContentType",
        phase="during the call",
        meaning="The reply's content type is something other than application/json.",
        cause=(
            "the framework's default (text/plain) because the header was never set",
            "an error or login page in HTML from a gateway, with status 200",
            "a relative such as application/problem+json or text/json",
        ),
        confirm="Send the event with curl -i and read the Content-Type line.",
        fix="Set Content-Type: application/json; a charset=utf-8 parameter is what Microsoft's own library sends.",
        source=f"{_TROUBLESHOOT}; azure-sdk-for-net Microsoft.Azure.WebJobs.Extensions.AuthenticationEvents",
        related=("C",),
    ),
    Code(
        code=1003007,
        name="CustomExtensionNullClaimsResponse",
        phase="during the call",
        meaning="The action carries no claims: the member is null or left out.",
        cause=(
            "the user was not found and null was returned",
            "a serialiser that drops empty members",
            "the member is spelt Claims",
        ),
        confirm="Run `python -m selftest judge` on the body for a user without data.",
        fix="Always send an object; for a user without data send the default claims.",
        source=_TROUBLESHOOT,
        related=("C", "F"),
        conflict="An empty object is not a null one; what Entra makes of {} is not documented.",
    ),
    Code(
        code=1003008,
        name="CustomExtensionInvalidResponseApiSchemaVersion",
        phase="during the call",
        meaning="The reply follows another version of the schema than the call did.",
        cause=(
            "code from the 2021 preview, whose reply has apiSchemaVersion at the top and no data",
            "an old preview package that still writes that reply",
        ),
        confirm="Look for apiSchemaVersion in the body.",
        fix="Send today's shape, which has data and no version member.",
        source=_TROUBLESHOOT,
        related=("C",),
    ),
    Code(
        code=1003009,
        name="CustomExtensionEmptyResponse",
        phase="during the call",
        meaning="The reply has no body, or the body is the JSON word null.",
        cause=(
            "the handler returned before it wrote an answer",
            "a workflow whose response step has no body",
            "an HTTP 200 from a health page or an OPTIONS handler on the same path",
        ),
        confirm="Send the event with curl -i: Content-Length is 0, or the body is null.",
        fix="Write the documented object on every path that answers 200.",
        source=_TROUBLESHOOT,
        related=("C",),
    ),
    Code(
        code=1003010,
        name="CustomExtensionInvalidNumberOfActions",
        phase="during the call",
        meaning="The reply holds more or fewer actions than this event takes.",
        cause=(
            "an empty list where there was nothing to add",
            "one action for each claim instead of one with all of them",
        ),
        confirm="Count the members of data.actions.",
        fix="Send exactly one provideClaimsForToken action with every claim in it.",
        source=f"{_TROUBLESHOOT}; {_REFERENCE}",
        related=("C",),
        conflict="The number is not printed anywhere: one is what every sample has and Microsoft's library demands.",
    ),
    Code(
        code=1003011,
        name="CustomExtensionNotFound",
        phase="before the call",
        meaning="The listener names an extension that Entra does not find.",
        cause=(
            "the extension was deleted or created anew, and the listener keeps the old id",
            "the listener was made for another kind of event",
            "the service principal of the calling application is missing",
        ),
        confirm=f"GET the listener with $expand=handler and compare its custom extension's id; {_NO_REQUEST}.",
        fix="Point the listener at the living extension; else delete and create both, and wait a minute.",
        source=f"{_TROUBLESHOOT}; Microsoft Q&A 12786368",
        related=("D",),
        conflict=(
            "A report of May 2026 from External ID has this code although the validation came back clean, the listener "
            "named the right extension and a direct call gave 200. It has no confirmed cure: a clean validation proves "
            "the configuration, not that the extension fires."
        ),
    ),
    Code(
        code=1003012,
        name="CustomExtensionInvalidActionType",
        phase="during the call",
        meaning="The action's @odata.type is not one that this event knows.",
        cause=(
            "microsoft.graph.provideClaimsForToken without the tokenIssuanceStart part",
            "the @odata.type of the action is missing, or has a # in front",
            "an action of another event, such as continueWithDefaultBehavior",
        ),
        confirm="Compare it letter by letter with microsoft.graph.tokenIssuanceStart.provideClaimsForToken.",
        fix="Use that type. There is no action that denies a sign-in: only a failing call does.",
        source=f"{_TROUBLESHOOT}; {_REFERENCE}",
        related=("C",),
    ),
    Code(
        code=1003013,
        name="(not documented)",
        phase="Entra's side",
        meaning="A gap: the documented table goes from 1003012 to 1003014.",
        cause=("unknown; the number may be retired, reserved or internal",),
        confirm="If a sign-in log shows it, keep the entry and its correlation id: that would be news.",
        fix="Ask support with the correlation id.",
        source=f"{_TROUBLESHOOT} (by its absence)",
        seen="Not known; presumably the generic error that every other code of the range gives.",
    ),
    Code(
        code=1003014,
        name="CustomExtensionIncorrectResourceIdFormat",
        phase="before the call",
        meaning="The endpoint's application has an identifier URI that is not api://<host>/<application id>.",
        cause=(
            "the portal's default api://<application id>, without the host",
            "an https:// identifier",
            "a port, a path or a trailing slash beside host and id",
        ),
        confirm=f"Read identifierUris of the API's registration and resourceId of the extension; {_NO_REQUEST}.",
        fix="Set both to api://<host of the target URL>/<application id>.",
        source=f"{_TROUBLESHOOT}; {_VALIDATE} (error IncorrectResourceIdFormat)",
        related=("D",),
    ),
    Code(
        code=1003015,
        name="CustomExtensionDomainNameDoesNotMatch",
        phase="before the call",
        meaning="The host in the target URL and the host in the resource id are two different names.",
        cause=(
            "a custom domain in one and azurewebsites.net in the other",
            "the function app was created again under a new name",
            "the target URL was moved to a gateway and the identifier URI was not",
        ),
        confirm=f"Put targetUrl and resourceId side by side; {_NO_REQUEST}.",
        fix="Use one host in targetUrl, resourceId and identifierUris.",
        source=f"{_TROUBLESHOOT}; {_VALIDATE} (error DomainNameDoesNotMatch)",
        related=("D",),
    ),
    Code(
        code=1003016,
        name="CustomExtensionResourceServicePrincipalNotFound",
        phase="before the call",
        meaning="The application id inside the resource id has no service principal in this tenant.",
        cause=(
            "the application was registered through Graph, which makes no service principal by itself",
            "the service principal was deleted",
            "an object id stands where the application id belongs",
        ),
        confirm=f"GET servicePrincipals(appId='<id from resourceId>') answers 404; {_NO_REQUEST}.",
        fix="POST /servicePrincipals with that appId, then grant the consent that 1003021 speaks of.",
        source=f"{_TROUBLESHOOT}; {_VALIDATE} (error ServicePrincipalNotFound)",
        related=("D",),
    ),
    Code(
        code=1003017,
        name="CustomExtensionClientServicePrincipalNotFound",
        phase="before the call",
        meaning="A service principal that the call needs is not in the tenant: by the name, that of the caller.",
        cause=(
            "no service principal for 99045fe1-7639-4a75-9d4a-577b6ca3810f, Entra's event service",
            "no service principal for the endpoint's own application",
        ),
        confirm=f"GET both service principals by appId and see which is missing; {_NO_REQUEST}.",
        fix="POST /servicePrincipals with the missing appId.",
        source=_TROUBLESHOOT,
        related=("D",),
        conflict="The name speaks of the client, the page's text of the resource; we read the name, so check both.",
    ),
    Code(
        code=1003018,
        name="CustomExtensionClientServiceDisabled",
        phase="before the call",
        meaning="A service principal that the call needs is switched off: by the name, that of the caller.",
        cause=(
            "accountEnabled is false on 99045fe1-7639-4a75-9d4a-577b6ca3810f, often after a clean-up of unknown apps",
            "accountEnabled is false on the endpoint's own service principal",
        ),
        confirm=f"Read accountEnabled of both service principals; {_NO_REQUEST}.",
        fix="Set accountEnabled to true on whichever of the two is disabled.",
        source=_TROUBLESHOOT,
        related=("D",),
        conflict="The name speaks of the client, the page gives it the same text as 1003019; check both.",
    ),
    Code(
        code=1003019,
        name="CustomExtensionResourceServicePrincipalDisabled",
        phase="before the call",
        meaning="The service principal of the endpoint's application is switched off.",
        cause=("an administrator disabled it", "a policy or a clean-up disables apps without recent sign-ins"),
        confirm=f"Read accountEnabled of the service principal whose appId is in resourceId; {_NO_REQUEST}.",
        fix="Set accountEnabled to true, and take the app out of the clean-up that disabled it.",
        source=_TROUBLESHOOT,
        related=("D",),
    ),
    Code(
        code=1003020,
        name="CustomExtensionIncorrectTargetUrlFormat",
        phase="before the call",
        meaning="The target URL is not a well-formed https URL.",
        cause=("http instead of https", "a host without a scheme", "a space or line break copied with the URL"),
        confirm=f"Read endpointConfiguration.targetUrl of the extension; {_NO_REQUEST}.",
        fix="Set an absolute https URL; a query string such as ?code=… is allowed.",
        source=f"{_TROUBLESHOOT}; {_CONFIGURE}",
        related=("D",),
    ),
    Code(
        code=1003021,
        name="CustomExtensionPermissionNotGrantedToServicePrincipal",
        phase="before the call",
        meaning="The endpoint's service principal may not receive events: a Graph app role was never consented to.",
        cause=(
            "the permission is listed on the registration, but nobody granted admin consent",
            "the consent was given in another tenant or to another application",
            "the service principal was created again, which loses the grant",
        ),
        confirm=(
            "List appRoleAssignments of the service principal named by resourceId and look for role "
            f"214e810f-fda8-4fd7-a475-29461495eb00 on Microsoft Graph; {_NO_REQUEST}."
        ),
        fix="Grant admin consent in the portal, or POST that role to appRoleAssignments of the service principal.",
        source=f"{_TROUBLESHOOT}; {_CONFIGURE}",
        related=("D",),
        conflict=(
            "The role is CustomAuthenticationExtension.Receive.Payload in Graph's list and has a plural s on the "
            "troubleshooting page: match it by its id."
        ),
    ),
    Code(
        code=1003022,
        name="CustomExtensionMsGraphServicePrincipalDisabledOrNotFound",
        phase="before the call",
        meaning="The tenant has no enabled service principal of Microsoft Graph.",
        cause=("an administrator disabled or removed it", "a new tenant in which it was never created"),
        confirm=f"GET servicePrincipals(appId='00000003-0000-0000-c000-000000000000'); {_NO_REQUEST}.",
        fix="Create it with POST /servicePrincipals, or set accountEnabled to true.",
        source=_TROUBLESHOOT,
        related=("D",),
    ),
    Code(
        code=1003023,
        name="CustomExtensionBlocked",
        phase="before the call",
        meaning="Microsoft's service refuses to call this endpoint.",
        cause=("the host is on a list of the service's own", "the endpoint misbehaved or was reported"),
        confirm=f"Move the same code to another host: if that is called, the host was blocked; {_NO_REQUEST}.",
        fix="Use another host, and ask support why this one is blocked.",
        source=_TROUBLESHOOT,
        conflict="What puts an endpoint on the list is not published; the causes are conjecture.",
    ),
    Code(
        code=1003024,
        name="CustomExtensionResponseSizeExceeded",
        phase="during the call",
        meaning="The reply as a whole is too large.",
        cause=(
            "members beside claims: debugging output, echoes of the request",
            "an error page or a file served in place of the reply",
        ),
        confirm="Measure the body; the claims alone have a smaller limit, 1003025.",
        fix="Send the action and its claims only.",
        source=_TROUBLESHOOT,
        related=("C",),
        conflict="The limit is not published; `judge` uses 1 MiB, a bound of our own.",
    ),
    Code(
        code=1003025,
        name="CustomExtensionResponseClaimsSizeExceeded",
        phase="during the call",
        meaning="Claim names and values together are over 3 KB.",
        cause=(
            "a list that grows with the user: groups, roles, entitlements",
            "text outside ASCII, which takes two to four bytes a character",
        ),
        confirm="Run `python -m selftest judge` on the body of the user with the most data.",
        fix="Send identifiers instead of names, cap lists by a stated rule, stay at or under 3000 bytes.",
        source=f"{_TROUBLESHOOT}; {_REFERENCE}",
        related=("C",),
        conflict=(
            "3 KB may be 3000 or 3072, and bytes or characters: not stated. `judge` warns above 3000 UTF-8 bytes and "
            "refuses above 3072."
        ),
    ),
    Code(
        code=1003026,
        name="CustomExtensionNullOrEmptyClaimKeyNotSupported",
        phase="during the call",
        meaning="A claim has no name.",
        cause=("a name built from data that was empty", "a spreadsheet or table row without a heading"),
        confirm="Look for an empty member name in claims.",
        fix="Drop claims without a name, and log that you did.",
        source=_TROUBLESHOOT,
        related=("C",),
        conflict="Whether a name of spaces counts as empty is not stated; `judge` says that it does.",
    ),
    Code(
        code=1003027,
        name="CustomExtensionConnectionError",
        phase="during the call",
        meaning="Entra could not open a connection to the endpoint.",
        cause=(
            "access restrictions, a private endpoint or a firewall",
            "a certificate that is expired, for another host or without its chain",
            "a host name that does not resolve in public DNS",
            "the app is stopped or deleted",
        ),
        confirm="Call the URL from a machine outside your network; the endpoint's own log often shows nothing.",
        fix="Make the host reachable from the internet on 443 with a full certificate chain.",
        source=f"{_TROUBLESHOOT}; entra-docs identity-platform/custom-extension-overview.md",
        related=("C", "D"),
    ),
    Code(
        code="AADSTS1100001",
        name="Non-retryable error",
        phase="Entra's side",
        meaning="The wrapper in which users and apps meet most of the 1003xxx codes.",
        cause=("any code of this table; the sign-in's Authentication Events name it",),
        confirm="Open the sign-in by its correlation id and read the error code on the Authentication Events tab.",
        fix="Find the inner code and go by that.",
        source="MicrosoftDocs/entra-docs issue 399; Microsoft Q&A 12786368",
        related=("C", "D", "L", "T"),
        seen="OpenID Connect: this code comes back to the app. SAML: it stands on Entra's error page.",
        conflict=(
            "It is missing from the public list of AADSTS codes. AADSTS1100000 is reported beside it, presumably for "
            "faults that may be retried, and inner codes sometimes appear with the prefix, as AADSTS1003021."
        ),
    ),
    Code(
        code="AADSTS50146",
        name="MissingCustomSigningKey",
        phase="Entra's side",
        meaning="The app has mapped claims, but neither its own signing key nor leave to do without one.",
        cause=(
            "acceptMappedClaims was never set on the application that is the token's audience",
            "it was set on the client while the token is for an API",
            "the app is multi-tenant and has no signing key of its own",
        ),
        confirm="Read api.acceptMappedClaims of the application whose id is the token's aud.",
        fix="Single tenant: set api.acceptMappedClaims to true. Multi-tenant: give the app a custom signing key.",
        source=f"{_AADSTS}; {_JWT}",
        related=("D",),
        seen="OpenID Connect: the app gets this code and no token. SAML apps have their own certificate.",
    ),
    Code(
        code="AADSTS501461",
        name="AcceptMappedClaims audience",
        phase="Entra's side",
        meaning="acceptMappedClaims is on, but the token's audience is not one for which it may be used.",
        cause=(
            "the client asks for a scope under an identifier URI whose domain the tenant has not verified",
            "the API's identifier URI is at azurewebsites.net",
        ),
        confirm="Compare the resource part of the requested scope with the tenant's verified domains.",
        fix="Ask for the application's GUID as the resource, use a verified domain, or use a custom signing key.",
        source=_JWT,
        related=("D",),
        seen="OpenID Connect: the app gets this code and no token. SAML is not concerned.",
    ),
    Code(
        code="AADSTS50105",
        name="EntitlementGrantsNotFound",
        phase="Entra's side",
        meaning="The app demands that users be assigned to it, and this one is not.",
        cause=(
            "assignment is required and neither the user nor a group of theirs is assigned",
            "the user is in a nested group, which does not count",
        ),
        confirm="Read appRoleAssignmentRequired of the app's service principal and its appRoleAssignedTo.",
        fix="Assign the user or their group, or switch off the requirement.",
        source=f"{_SAML}; {_AADSTS}",
        seen="OpenID Connect and SAML: Entra says that the user has no access to the application.",
    ),
)

#: Every code by its number, or by its text for the AADSTS codes; in the order of the table.
CODES: Final[Mapping[int | str, Code]] = MappingProxyType({entry.code: entry for entry in _TABLE})

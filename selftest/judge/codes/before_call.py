"""Codes before the call: because of the configuration Entra does not call the endpoint.

The endpoint's log does not show these; the objects of the tenant do. The pairs show the wrong members, with the ids of
the harness's own tenant.
"""

from functools import partial
from typing import Final

from selftest.judge.codes.entry import CONFIGURE, NO_REQUEST, TROUBLESHOOT, VALIDATE, Code, ObjectPair

_API: Final = "22222222-2222-4222-8222-222222222222"
_CALLER: Final = "99045fe1-7639-4a75-9d4a-577b6ca3810f"
_GRAPH: Final = "00000003-0000-0000-c000-000000000000"
_EXTENSION: Final = "44444444-4444-4444-8444-444444444444"
_LISTENER: Final = "33333333-3333-4333-8333-333333333333"
_ROLE: Final = "214e810f-fda8-4fd7-a475-29461495eb00"
_RESOURCE: Final = f"api://claims.sample.example/{_API}"
_URL: Final = "https://claims.sample.example/api/onTokenIssuanceStart"
_ENDPOINT_TYPE: Final = "#microsoft.graph.httpRequestEndpoint"


def _principal(app_id: str, *, there: bool) -> ObjectPair:
    """Return a service principal that is missing or disabled, and one that works."""
    return ObjectPair(
        kind="servicePrincipals",
        id=app_id,
        bad={"appId": app_id, "accountEnabled": False} if there else None,
        good={"appId": app_id, "accountEnabled": True},
    )


def _target(url: str) -> ObjectPair:
    """Return a wrong target URL, and one that fits the identifier URI."""
    return ObjectPair(
        kind="customAuthenticationExtensions",
        id=_EXTENSION,
        bad={"endpointConfiguration": {"@odata.type": _ENDPOINT_TYPE, "targetUrl": url}},
        good={"endpointConfiguration": {"@odata.type": _ENDPOINT_TYPE, "targetUrl": _URL}},
    )


_before: Final = partial(Code, phase="before the call", commands=("doctor --file FILE",))

ENTRIES: Final = (
    _before(
        code=1003004,
        name="CustomExtensionThrottlingError",
        meaning="Entra limits how often it calls extensions, and the limit is reached.",
        cause=(
            "a burst of sign-ins, or one client that requests tokens in a loop",
            "a load test through Entra instead of against the endpoint",
            "in an External ID trial tenant, the request limit of the tenant itself",
        ),
        confirm=f"Count sign-ins a second around the failure; {NO_REQUEST}.",
        fix="Lower the rate; let clients cache their tokens; load-test the endpoint directly.",
        source=f"{TROUBLESHOOT}; entra-docs external-id/customers/reference-service-limits.md",
        commands=("signin-log --file FILE --code 1003004",),
        related=("L",),
        conflict="The limit behind this code is not published, and that no call is made is our inference.",
    ),
    _before(
        code=1003011,
        name="CustomExtensionNotFound",
        meaning="The listener names an extension that Entra does not find.",
        cause=(
            "the extension was deleted or recreated, and the listener keeps the old id",
            "the listener was made for another kind of event",
            "the service principal of the calling application is missing",
        ),
        confirm=f"GET the listener with $expand=handler and compare its custom extension's id; {NO_REQUEST}.",
        fix="Point the listener at the existing extension; otherwise recreate both, and wait a minute.",
        source=f"{TROUBLESHOOT}; Microsoft Q&A 12786368",
        commands=("doctor --file FILE", "signin-log --file FILE --code 1003011"),
        related=("D46", "D45"),
        pair=ObjectPair(
            kind="authenticationEventListeners",
            id=_LISTENER,
            bad={"handler": {"customExtension": {"id": "deadbeef-dead-4bee-8eef-deadbeefdead"}}},
            good={"handler": {"customExtension": {"id": _EXTENSION}}},
        ),
        conflict=(
            "A report of May 2026 from External ID has this code although the validation found no error, the listener "
            "named the right extension and a direct call returned 200. No fix is confirmed: a clean validation proves "
            "the configuration, not that the extension fires. Try, in this order: read the listener's own handler, "
            "delete and recreate listener and extension, check that the service principal of "
            "99045fe1-7639-4a75-9d4a-577b6ca3810f exists and is enabled, then ask support."
        ),
    ),
    _before(
        code=1003014,
        name="CustomExtensionIncorrectResourceIdFormat",
        meaning="The endpoint's application has an identifier URI that is not api://<host>/<application id>.",
        cause=(
            "the portal's default api://<application id>, without the host",
            "an https:// identifier",
            "a port, a path or a trailing slash in addition to host and id",
        ),
        confirm=f"Read identifierUris of the API's registration and resourceId of the extension; {NO_REQUEST}.",
        fix="Set both to api://<host of the target URL>/<application id>.",
        source=f"{TROUBLESHOOT}; {VALIDATE} (error IncorrectResourceIdFormat)",
        related=("D22",),
        pair=ObjectPair(
            kind="applications",
            id=_API,
            bad={"identifierUris": [f"api://{_API}"]},
            good={"identifierUris": [_RESOURCE]},
        ),
    ),
    _before(
        code=1003015,
        name="CustomExtensionDomainNameDoesNotMatch",
        meaning="The host in the target URL and the host in the resource id are two different names.",
        cause=(
            "a custom domain in one and azurewebsites.net in the other",
            "the function app was created again under a new name",
            "the target URL was moved to a gateway and the identifier URI was not",
        ),
        confirm=f"Put targetUrl and resourceId side by side; {NO_REQUEST}.",
        fix="Use one host in targetUrl, resourceId and identifierUris.",
        source=f"{TROUBLESHOOT}; {VALIDATE} (error DomainNameDoesNotMatch)",
        related=("D23",),
        pair=_target("https://claims-sample.azurewebsites.net/api/onTokenIssuanceStart"),
    ),
    _before(
        code=1003016,
        name="CustomExtensionResourceServicePrincipalNotFound",
        meaning="The application id inside the resource id has no service principal in this tenant.",
        cause=(
            "the application was registered through Graph, which makes no service principal by itself",
            "the service principal was deleted",
            "an object id is used in place of the application id",
        ),
        confirm=f"GET servicePrincipals(appId='<id from resourceId>') answers 404; {NO_REQUEST}.",
        fix="POST /servicePrincipals with that appId, then grant the consent described under 1003021.",
        source=f"{TROUBLESHOOT}; {VALIDATE} (error ServicePrincipalNotFound)",
        related=("D30",),
        pair=_principal(_API, there=False),
    ),
    _before(
        code=1003017,
        name="CustomExtensionClientServicePrincipalNotFound",
        meaning="A service principal that the call needs is not in the tenant: by the name, that of the caller.",
        cause=(
            "no service principal for 99045fe1-7639-4a75-9d4a-577b6ca3810f, Entra's event service",
            "no service principal for the endpoint's own application",
        ),
        confirm=f"GET both service principals by appId and see which is missing; {NO_REQUEST}.",
        fix="POST /servicePrincipals with the missing appId.",
        source=TROUBLESHOOT,
        related=("D32",),
        pair=_principal(_CALLER, there=False),
        conflict=(
            "The name refers to the client, the page's text to the resource (as under 1003016). Try the client first, "
            "because no other code covers it; then the resource."
        ),
    ),
    _before(
        code=1003018,
        name="CustomExtensionClientServiceDisabled",
        meaning="A service principal that the call needs is disabled: by the name, that of the caller.",
        cause=(
            "accountEnabled is false on 99045fe1-7639-4a75-9d4a-577b6ca3810f, often after a clean-up of unknown apps",
            "accountEnabled is false on the endpoint's own service principal",
        ),
        confirm=f"Read accountEnabled of both service principals; {NO_REQUEST}.",
        fix="Set accountEnabled to true on whichever of the two is disabled.",
        source=TROUBLESHOOT,
        related=("D33",),
        pair=_principal(_CALLER, there=True),
        conflict=(
            "The name refers to the client, but the page has the same text as for 1003019. Try the client first, "
            "because no other code covers it; then the resource."
        ),
    ),
    _before(
        code=1003019,
        name="CustomExtensionResourceServicePrincipalDisabled",
        meaning="The service principal of the endpoint's application is disabled.",
        cause=("an administrator disabled it", "a policy or a clean-up disables apps without recent sign-ins"),
        confirm=f"Read accountEnabled of the service principal whose appId is in resourceId; {NO_REQUEST}.",
        fix="Set accountEnabled to true, and take the app out of the clean-up that disabled it.",
        source=TROUBLESHOOT,
        related=("D31",),
        pair=_principal(_API, there=True),
    ),
    _before(
        code=1003020,
        name="CustomExtensionIncorrectTargetUrlFormat",
        meaning="The target URL is not a well-formed https URL.",
        cause=("http instead of https", "a host without a scheme", "a space or line break copied with the URL"),
        confirm=f"Read endpointConfiguration.targetUrl of the extension; {NO_REQUEST}.",
        fix="Set an absolute https URL; a query string such as ?code=… is allowed.",
        source=f"{TROUBLESHOOT}; {CONFIGURE}",
        related=("D21",),
        pair=_target(_URL.replace("https", "http")),
    ),
    _before(
        code=1003021,
        name="CustomExtensionPermissionNotGrantedToServicePrincipal",
        meaning="The endpoint's service principal may not receive events: consent to a Graph app role is missing.",
        cause=(
            "the permission is listed on the registration, but admin consent was not granted",
            "the consent was given in another tenant or to another application",
            "the service principal was created again, which loses the grant",
        ),
        confirm=(
            "List appRoleAssignments of the service principal named by resourceId and look for role "
            f"214e810f-fda8-4fd7-a475-29461495eb00 on Microsoft Graph; {NO_REQUEST}."
        ),
        fix="Grant admin consent in the portal, or POST that role to appRoleAssignments of the service principal.",
        source=f"{TROUBLESHOOT}; {CONFIGURE}",
        related=("D40", "D41"),
        pair=ObjectPair(
            kind="servicePrincipals",
            id=_API,
            bad={"appRoleAssignments": []},
            good={"appRoleAssignments": [{"appRoleId": _ROLE}]},
        ),
        conflict=(
            "The role is CustomAuthenticationExtension.Receive.Payload in Graph's list and has a plural s on the "
            "troubleshooting page, and newer pages print a made-up id. Try: match it by the id above, never by its "
            "name."
        ),
    ),
    _before(
        code=1003022,
        name="CustomExtensionMsGraphServicePrincipalDisabledOrNotFound",
        meaning="The tenant has no enabled service principal of Microsoft Graph.",
        cause=("an administrator disabled or removed it", "a new tenant in which it was never created"),
        confirm=f"GET servicePrincipals(appId='00000003-0000-0000-c000-000000000000'); {NO_REQUEST}.",
        fix="Create it with POST /servicePrincipals, or set accountEnabled to true.",
        source=TROUBLESHOOT,
        related=("D34",),
        pair=_principal(_GRAPH, there=True),
    ),
    _before(
        code=1003023,
        name="CustomExtensionBlocked",
        meaning="Microsoft's service refuses to call this endpoint.",
        cause=("the host is on a list of the service", "the endpoint misbehaved or was reported"),
        confirm=f"Move the same code to another host: if that is called, the host was blocked; {NO_REQUEST}.",
        fix="Use another host, and ask support why this one is blocked.",
        source=TROUBLESHOOT,
        related=("D24",),
        commands=("doctor --file FILE", "signin-log --file FILE --code 1003023"),
        conflict="What puts an endpoint on the list is not published; the causes are conjecture.",
    ),
)

"""D20 to D25: the extension and its two addresses, which Entra compares before it calls."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.resource import ResourceId, shown_url, url_problem
from selftest.tenant.doctor.evidence.wiring_objects import ExtensionObject
from selftest.tenant.doctor.registry import EvidenceMissing, Finding, statement
from selftest.tenant.doctor.statements.az_rest import patch_application, patch_extension

_TROUBLESHOOT: Final = "entra-docs identity-platform/custom-extension-troubleshoot.md"
_PORTAL: Final = "Entra > External Identities > Custom authentication extensions > the extension"
_LOCAL_ENDS: Final = (".local", ".internal", ".localhost", ".lan", ".home.arpa", ".test", ".invalid")


@statement(
    "D20",
    "an extension names this endpoint",
    needs=("customAuthenticationExtensions",),
    source="entra-docs identity-platform/custom-extension-tokenissuancestart-configuration.md (step 2)",
    why="Without one Entra knows no endpoint to call, and sign-ins show no Authentication Events at all.",
    fix="Entra > External Identities > Custom authentication extensions > Create a custom extension > "
    "TokenIssuanceStart.",
    explain="An extension of type onTokenIssuanceStartCustomExtension has the endpoint's client id in its "
    "resource id, its "
    "host in its target URL, or its id in Claims__AllowedExtensionIds. A single one is taken as it is; "
    "--extension and --app choose.",
)
def extension_exists(case: Case) -> Iterator[Finding]:
    """Report where none was chosen."""
    if not case.extensions:
        ours = [one for one in case.required_tenant.extensions or () if one.for_token_issuance]
        wanted = case.settings.audience_app_id if case.settings is not None else ""
        yield Finding(
            expected="an extension for the token issuance event" + (f" of application {wanted}" if wanted else ""),
            actual=f"{len(ours)} of that type, none of this endpoint" if ours else "none of that type",
        )


@statement(
    "D21",
    "the target URL is a well-formed https URL",
    code=1003020,
    needs=("extension",),
    source=f"{_TROUBLESHOOT} (1003020)",
    why="Entra calls nothing else.",
    fix=f"{_PORTAL} > Endpoint configuration > Edit: an absolute https URL.",
    explain="endpointConfiguration.targetUrl parses, starts with https, and has a host and no blanks. A query is "
    "allowed.",
    bad="http://claims.example.com/api/onTokenIssuanceStart",
    good="https://claims.example.com/api/onTokenIssuanceStart",
)
def target_is_https(case: Case) -> Iterator[Finding]:
    """Parse the URL."""
    for extension in case.extensions:
        problem = url_problem(extension.target_url)
        if problem is not None:
            body = {
                "@odata.type": "#microsoft.graph.httpRequestEndpoint",
                "targetUrl": "https://<host>/api/onTokenIssuanceStart",
            }
            yield Finding(
                expected="https://<host>/<path>",
                actual=f"{shown_url(extension.target_url)}: {problem}",
                command=patch_extension(extension.id, {"endpointConfiguration": body}),
            )


@statement(
    "D22",
    "the application ID URI is api://<host>/<application id>",
    code=1003014,
    needs=("extension",),
    source=f"{_TROUBLESHOOT} (1003014); Graph validateAuthenticationConfiguration (IncorrectResourceIdFormat)",
    why="Entra refuses to call an endpoint whose application has another form of identifier.",
    fix="Entra > App registrations > the endpoint's > Expose an API > Application ID URI,"
    f" and {_PORTAL} > API authentication.",
    explain="The extension's resourceId has that form, and is among the identifierUris of the application that "
    "it names.",
    bad="api://<application id>",
    good="api://claims.example.com/<application id>",
)
def resource_id_has_the_form(case: Case) -> Iterator[Finding]:
    """Look at the form, and then for the URI at the application."""
    for extension in case.extensions:
        app_id = extension.api_app_id or "<application id>"
        good = f"api://{extension.host or '<host>'}/{app_id}"
        if extension.resource is None:
            body = {"@odata.type": "#microsoft.graph.azureAdTokenAuthentication", "resourceId": good}
            yield Finding(
                expected=good,
                actual=f"resourceId {extension.resource_id or 'null'}",
                command=patch_extension(extension.id, {"authenticationConfiguration": body}),
            )
            continue
        if extension.host != extension.resource.host:
            continue  # D23's, whose command changes the URI as well
        uris = _identifiers(case, extension.resource)
        if uris is not None and (extension.resource_id or "").lower() not in {uri.lower() for uri in uris}:
            yield Finding(
                expected=f"{extension.resource_id} among the identifierUris of application {app_id}",
                actual=", ".join(uris) or "none",
                command=patch_application(app_id, {"identifierUris": [extension.resource_id]}),
            )


@statement(
    "D23",
    "the target URL and the resource id have one host",
    code=1003015,
    needs=("extension",),
    source=f"{_TROUBLESHOOT} (1003015); Graph validateAuthenticationConfiguration (DomainNameDoesNotMatch)",
    why="Entra refuses to call a host that is not the one in the endpoint's identifier.",
    fix=f"{_PORTAL}: use one host in the target URL, the resource id and the application's identifierUris.",
    explain="The hosts of endpointConfiguration.targetUrl and authenticationConfiguration.resourceId are "
    "compared, without "
    "regard to case. Often one is a custom domain and the other azurewebsites.net.",
    bad="https://claims.example.com/… with api://claims.azurewebsites.net/<application id>",
    good="https://claims.example.com/… with api://claims.example.com/<application id>",
)
def hosts_are_one(case: Case) -> Iterator[Finding]:
    """Compare the hosts; a malformed one is D21's or D22's."""
    for extension in case.extensions:
        resource, host = extension.resource, extension.host
        if resource is None or host is None:
            raise EvidenceMissing("there are no two hosts to compare (D21, D22)")
        if resource.host != host:
            good = f"api://{host}/{resource.app_id}"
            yield Finding(
                expected=good,
                actual=f"{extension.resource_id}, while the target URL is at {host}",
                command=" && ".join(_renamed(extension, resource, good)),
            )


@statement(
    "D24",
    "the target URL's host looks reachable from the internet",
    level="should",
    code=1003023,
    needs=("extension",),
    source=f"{_TROUBLESHOOT} (1003023, 1003027)",
    why="Entra calls from Microsoft's network: an address of yours alone is blocked (1003023) or not found (1003027).",
    fix=f"{_PORTAL} > Endpoint configuration > Edit: a public host name.",
    explain="A hint from the name alone: loopback and private addresses, names of one part, .local, .internal "
    "and such.\n"
    "What Microsoft blocks is not published. `doctor --probe` resolves the name.",
    bad="https://10.0.0.4/api/onTokenIssuanceStart",
    good="https://claims.example.com/api/onTokenIssuanceStart",
)
def host_looks_public(case: Case) -> Iterator[Finding]:
    """Look at the name."""
    for extension in case.extensions:
        host = extension.host
        private = None if host is None else private_reason(host)
        if private is not None:
            yield Finding(expected="a public host name", actual=f"{host}: {private}")


@statement(
    "D25",
    "Graph's own validation of the extension finds nothing else",
    needs=("extension", "validation"),
    source="Microsoft Graph v1.0 customAuthenticationExtension: validateAuthenticationConfiguration",
    why="It knows rules that are not published.",
    fix=f"{_PORTAL}: mend what it names; `explain` says what the code means.",
    explain="validateAuthenticationConfiguration is called for the extension. What it says and another statement "
    "says, too, "
    "is told there. That it says nothing does not prove that the extension fires.",
    echo=True,
)
def graph_agrees(case: Case) -> Iterator[Finding]:
    """Tell each remark."""
    for extension_id, validation in (case.validations or {}).items():
        for remark in (*validation.errors, *validation.warnings):
            yield Finding(
                expected="no error and no warning",
                actual=f"{remark.name} for extension {extension_id}",
                code=remark.logged_code,
            )


def private_reason(host: str) -> str | None:
    """Say why a host cannot be called from the internet, from its name or address alone; None where it may be."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host == "localhost" or host.endswith(_LOCAL_ENDS):
            return "a name for a network of one's own"
        return None if "." in host else "a name of one part"
    if address.is_loopback:
        return "a loopback address"
    return None if address.is_global else "an address that the internet does not route"


def _identifiers(case: Case, resource: ResourceId) -> tuple[str, ...] | None:
    """Give the identifier URIs of an application: its own, or its service principal's where it is of another tenant."""
    application = case.required_tenant.application(resource.app_id)
    if application is not None:
        return application.identifier_uris
    principal = case.required_tenant.principal(resource.app_id)
    names = () if principal is None else principal.service_principal_names
    return tuple(name for name in names if name != resource.app_id) or None


def _renamed(extension: ExtensionObject, resource: ResourceId, good: str) -> Iterator[str]:
    """Change the identifier at the application first, for the extension may only name one that is there."""
    yield patch_application(resource.app_id, {"identifierUris": [good]})
    body = {"@odata.type": "#microsoft.graph.azureAdTokenAuthentication", "resourceId": good}
    yield patch_extension(extension.id, {"authenticationConfiguration": body})

"""D20 to D25: the extension and its two addresses, which Entra compares before it calls."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.resource import ResourceId, shown_url, url_problem
from selftest.tenant.doctor.evidence.wiring_objects import ExtensionObject
from selftest.tenant.doctor.registry import EvidenceMissing, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import patch_application, patch_extension, patch_resource_id
from selftest.tenant.graph.objects import ENDPOINT_TYPE

_LOCAL_ENDS: Final = (".local", ".internal", ".localhost", ".lan", ".home.arpa", ".test", ".invalid")


@statement("D20", "customAuthenticationExtensions")
def extension_exists(case: Case) -> Iterator[TenantFinding]:
    """Report that no extension was chosen."""
    if not case.extensions:
        ours = [one for one in case.required_tenant.extensions or () if one.for_token_issuance]
        wanted = case.settings.audience_app_id if case.settings is not None else ""
        yield TenantFinding(
            expected="an extension for the token issuance event" + (f" of application {wanted}" if wanted else ""),
            actual=f"{len(ours)} of that type, none of this endpoint" if ours else "none of that type",
        )


@statement("D21", "extension")
def target_is_https(case: Case) -> Iterator[TenantFinding]:
    """Parse the URL."""
    for extension in case.extensions:
        problem = url_problem(extension.target_url)
        if problem is not None:
            body = {"@odata.type": ENDPOINT_TYPE, "targetUrl": "https://<host>/api/onTokenIssuanceStart"}
            yield TenantFinding(
                expected="https://<host>/<path>",
                actual=f"{shown_url(extension.target_url)}: {problem}",
                command=patch_extension(extension.id, {"endpointConfiguration": body}),
            )


@statement("D22", "extension")
def resource_id_has_the_form(case: Case) -> Iterator[TenantFinding]:
    """Check the form, and then the URI at the application."""
    for extension in case.extensions:
        app_id = extension.api_app_id or "<application id>"
        good = f"api://{extension.host or '<host>'}/{app_id}"
        if extension.resource is None:
            yield TenantFinding(
                expected=good,
                actual=f"resourceId {extension.resource_id or 'null'}",
                command=patch_resource_id(extension.id, good),
            )
            continue
        if extension.host != extension.resource.host:
            continue  # D23 reports it, and its command changes the URI as well
        uris = _identifiers(case, extension.resource)
        if uris is not None and (extension.resource_id or "").lower() not in {uri.lower() for uri in uris}:
            yield TenantFinding(
                expected=f"{extension.resource_id} among the identifierUris of application {app_id}",
                actual=", ".join(uris) or "none",
                command=patch_application(app_id, {"identifierUris": [extension.resource_id]}),
            )


@statement("D23", "extension")
def hosts_are_one(case: Case) -> Iterator[TenantFinding]:
    """Compare the hosts; D21 and D22 report malformed ones."""
    for extension in case.extensions:
        resource, host = extension.resource, extension.host
        if resource is None or host is None:
            raise EvidenceMissing("a host is missing, so there is nothing to compare (D21, D22)")
        if resource.host != host:
            good = f"api://{host}/{resource.app_id}"
            yield TenantFinding(
                expected=good,
                actual=f"{extension.resource_id}, while the target URL is at {host}",
                command=" && ".join(_renamed(extension, resource, good)),
            )


@statement("D24", "extension")
def host_looks_public(case: Case) -> Iterator[TenantFinding]:
    """Check the name."""
    for extension in case.extensions:
        host = extension.host
        private = None if host is None else private_reason(host)
        if private is not None:
            yield TenantFinding(expected="a public host name", actual=f"{host}: {private}")


@statement("D25", "extension", "validation", echo=True)
def graph_agrees(case: Case) -> Iterator[TenantFinding]:
    """Report each error and warning."""
    for extension_id, validation in (case.validations or {}).items():
        for remark in (*validation.errors, *validation.warnings):
            yield TenantFinding(
                expected="no error and no warning",
                actual=f"{remark.name} for extension {extension_id}",
                code=remark.logged_code,
            )


def private_reason(host: str) -> str | None:
    """Return why a host cannot be called from the internet, by its name or address alone; None where it may be."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host == "localhost" or host.endswith(_LOCAL_ENDS):
            return "a name for a private network"
        return None if "." in host else "a name of one part"
    if address.is_loopback:
        return "a loopback address"
    return None if address.is_global else "an address that the internet does not route"


def _identifiers(case: Case, resource: ResourceId) -> tuple[str, ...] | None:
    """Return the identifier URIs of an application, or of its service principal where it belongs to another tenant."""
    application = case.required_tenant.application(resource.app_id)
    if application is not None:
        return application.identifier_uris
    principal = case.required_tenant.principal(resource.app_id)
    names = () if principal is None else principal.service_principal_names
    return tuple(name for name in names if name != resource.app_id) or None


def _renamed(extension: ExtensionObject, resource: ResourceId, good: str) -> Iterator[str]:
    """Yield the command for the application first, because the extension may only name an existing identifier."""
    yield patch_application(resource.app_id, {"identifierUris": [good]})
    yield patch_resource_id(extension.id, good)

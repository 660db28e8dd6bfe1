"""D10 to D15: the authority's host against the kind of tenant, and App Service Authentication in front of the app."""

from collections.abc import Iterator
from typing import Final

from selftest.base.setting_names import APPLICATION_ID_URI, AUTHORITY_URL
from selftest.contract import EVENT_SERVICE_APP_ID, is_guid
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.app_objects import ApplicationObject
from selftest.tenant.doctor.evidence.easyauth import ALLOWED_TENANTS
from selftest.tenant.doctor.evidence.resource import shown_url
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import app_setting, word

_CIAM: Final = ".ciamlogin.com"
_WORKFORCE: Final = "login.microsoftonline.com"
_OLDER_WORKFORCE: Final = "sts.windows.net"
_AUTH: Final = "az webapp auth microsoft update -g <group> -n <app>"


@statement("D10", "settings", "tenant-kind")
def host_fits_tenant(case: Case) -> Iterator[TenantFinding]:
    """Compare the host with the kind; national clouds and test issuers are ignored."""
    host, external = case.required_settings.authority_host, case.required_tenant.external
    if not host or case.required_settings.test_issuer or not (host == _WORKFORCE or host.endswith(_CIAM)):
        raise NotApplicable
    if external is not host.endswith(_CIAM):
        wanted = f"<name>{_CIAM}" if external else _WORKFORCE
        kind = "an external tenant" if external else "a workforce tenant"
        yield TenantFinding(
            expected=f"https://{wanted}/… for {kind}",
            actual=f"https://{host}/…",
            command=app_setting(AUTHORITY_URL, f"https://{wanted}/{case.tenant_id or '<tenantId>'}"),
        )


@statement("D11", "easyauth")
def easyauth_allows_caller(case: Case) -> Iterator[TenantFinding]:
    """Check that the list has the caller."""
    easyauth = case.easyauth
    if easyauth is None or easyauth.allowed_app_ids is None:
        raise EvidenceMissing(
            "App Service Authentication is on, and app settings do not name the allowed callers: --easyauth FILE"
        )
    if EVENT_SERVICE_APP_ID not in easyauth.allowed_app_ids:
        listed = f"other applications only ({len(easyauth.allowed_app_ids)})" if easyauth.allowed_app_ids else "none"
        yield TenantFinding(
            expected=f"{EVENT_SERVICE_APP_ID} among the allowed applications",
            actual=listed,
            command=f"{_AUTH} --set "
            f"validation.defaultAuthorizationPolicy.allowedApplications='[\"{EVENT_SERVICE_APP_ID}\"]'",
        )


@statement("D12", "easyauth")
def easyauth_allows_tenant(case: Case) -> Iterator[TenantFinding]:
    """Check that the list has the tenant, where there is a list."""
    allowed = case.easyauth.allowed_tenant_ids if case.easyauth else frozenset()
    if not allowed:
        raise NotApplicable
    issuer = case.easyauth.issuer if case.easyauth else ""
    named = _tenant_in(issuer)[1]
    tenant_id = _tenant_id(case) or (named if is_guid(named) else "")
    if not tenant_id:
        raise EvidenceMissing("the tenant is in nothing that was read: --settings, or --tenant or --file")
    if tenant_id not in allowed:
        yield TenantFinding(
            expected=f"{tenant_id} among the allowed tenants",
            actual=f"other tenants only ({len(allowed)})",
            command=app_setting(ALLOWED_TENANTS, tenant_id),
        )


@statement("D13", "easyauth")
def easyauth_refuses(case: Case) -> Iterator[TenantFinding]:
    """Check the action, where it is known."""
    if case.easyauth is None or case.easyauth.refuses is None:
        raise NotApplicable
    if not case.easyauth.refuses:
        yield TenantFinding(
            expected="Return401",
            actual="another action",
            command="az webapp auth update -g <group> -n <app> --unauthenticated-client-action Return401",
        )


@statement("D14", "easyauth")
def easyauth_accepts_audience(case: Case) -> Iterator[TenantFinding]:
    """Compare the audiences of Entra's token with those that are accepted, where they are known."""
    accepted = case.easyauth.audiences if case.easyauth else frozenset()
    if not accepted:
        raise NotApplicable
    wanted = _audiences(case)
    if not any(wanted):
        raise EvidenceMissing("the endpoint's application is not known: --settings, or --tenant or --file")
    if accepted.isdisjoint(wanted):
        missing = wanted[0]
        audiences = " ".join(word(each) for each in (*sorted(accepted), missing))
        yield TenantFinding(
            expected=f"{missing}, the audience of Entra's token, as the client id or an allowed audience",
            actual=", ".join(sorted(accepted)),
            command=f"{_AUTH} --allowed-token-audiences {audiences}",
        )


@statement("D15", "easyauth")
def easyauth_trusts_issuer(case: Case) -> Iterator[TenantFinding]:
    """Compare tenant, kind of tenant and version of tokens with the issuer, where it is known."""
    issuer = case.easyauth.issuer if case.easyauth else ""
    if not issuer:
        raise NotApplicable
    tenant_id = _tenant_id(case)
    if not tenant_id and case.tenant is None:
        raise EvidenceMissing("the tenant is in nothing that was read: --settings, or --tenant or --file")
    host, named, path = _tenant_in(issuer)
    external = None if case.tenant is None else case.tenant.external
    version = 2 if path.rstrip("/").endswith("/v2.0") else 1
    good_host = "<name>.ciamlogin.com" if external or (external is None and host.endswith(_CIAM)) else _WORKFORCE
    wrong_host = external is not None and external is not host.endswith(_CIAM) and _is_known(host)
    wrong_tenant = is_guid(named) and bool(tenant_id) and named != tenant_id
    # The portal's older form has the keys and the issuers of both versions.
    api = None if version == 2 and host == _OLDER_WORKFORCE else _api_application(case)
    wanted = version if api is None else api.token_version or 1
    if wrong_host or wrong_tenant or wanted != version:
        good = f"https://{good_host}/{tenant_id or '<tenantId>'}{'/v2.0' if wanted == 2 else ''}"
        yield TenantFinding(
            expected=f"{good} for tokens of version {wanted}",
            actual=shown_url(issuer),
            command=f"{_AUTH} --issuer {word(good)}",
        )


def _tenant_id(case: Case) -> str:
    """Return the tenant that was read, else that of the settings' authority; empty where neither is known."""
    return case.tenant_id or (case.settings.tenant_id if case.settings is not None else "")


def _tenant_in(issuer: str) -> tuple[str, str, str]:
    """Return host, tenant and path of an issuer, in lower case."""
    host, _, path = issuer.lower().partition("://")[2].partition("/")
    return host, path.partition("/")[0], path


def _audiences(case: Case) -> tuple[str, ...]:
    """Return what the audience of Entra's token may be, in lower case: by the registration, else by the settings."""
    for extension in case.extensions:
        application = case.required_tenant.application(extension.api_app_id)
        resource_id = (extension.resource_id or "").lower()
        if application is not None:
            return (application.app_id,) if application.token_version == 2 else (resource_id,)
        return (extension.api_app_id or "", resource_id)
    settings = case.settings
    return () if settings is None else (settings.audience_app_id, settings.text(APPLICATION_ID_URI).lower())


def _api_application(case: Case) -> ApplicationObject | None:
    app_ids = [extension.api_app_id for extension in case.extensions]
    return case.tenant.application(app_ids[0]) if case.tenant is not None and app_ids else None


def _is_known(host: str) -> bool:
    """Whether it is a host of Microsoft's worldwide cloud; those of national clouds are not judged."""
    return host in {_WORKFORCE, _OLDER_WORKFORCE} or host.endswith(_CIAM)

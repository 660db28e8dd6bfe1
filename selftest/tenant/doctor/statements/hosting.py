"""D10 to D13: the authority's host against the kind of tenant, and App Service Authentication in front of the app."""

from collections.abc import Iterator
from typing import Final

from selftest.base.setting_names import AUTHORITY_URL
from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.easyauth import ALLOWED_TENANTS
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import app_setting

_CIAM: Final = ".ciamlogin.com"
_WORKFORCE: Final = "login.microsoftonline.com"


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
        listed = f"{len(easyauth.allowed_app_ids)} others" if easyauth.allowed_app_ids else "none"
        yield TenantFinding(
            expected=f"{EVENT_SERVICE_APP_ID} among the allowed applications",
            actual=listed,
            command="az webapp auth microsoft update -g <group> -n <app> --set "
            f"validation.defaultAuthorizationPolicy.allowedApplications='[\"{EVENT_SERVICE_APP_ID}\"]'",
        )


@statement("D12", "easyauth", "tenant-id")
def easyauth_allows_tenant(case: Case) -> Iterator[TenantFinding]:
    """Check that the list has the tenant, where there is a list."""
    allowed = case.easyauth.allowed_tenant_ids if case.easyauth else frozenset()
    if not allowed:
        raise NotApplicable
    if case.tenant_id not in allowed:
        yield TenantFinding(
            expected=f"{case.tenant_id} among the allowed tenants",
            actual=f"{len(allowed)} others",
            command=app_setting(ALLOWED_TENANTS, case.tenant_id or "<tenantId>"),
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

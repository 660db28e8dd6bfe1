"""D10 to D13: the authority's host against the kind of tenant, and App Service Authentication in front of the app."""

from collections.abc import Iterator
from typing import Final

from selftest.base.setting_names import AUTHORITY_URL
from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.easyauth import ALLOWED_TENANTS
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import app_setting

_REFUSED: Final = 1003002
_CONFIGURE: Final = "entra-docs identity-platform/custom-extension-tokenissuancestart-configuration.md (step 4)"
_AUTHENTICATION: Final = "Azure portal > the function app > Settings > Authentication > the Microsoft provider > Edit"
_CIAM: Final = ".ciamlogin.com"
_WORKFORCE: Final = "login.microsoftonline.com"


@statement(
    "D10",
    "the authority's host is that of this kind of tenant",
    code=_REFUSED,
    needs=("settings", "tenant-kind"),
    source="entra-docs identity-platform/custom-extension-overview.md",
    why="An external tenant publishes its keys at ciamlogin.com; the keys of the other host do not verify its tokens.",
    fix="Azure portal > the function app > Environment variables: https://<name>.ciamlogin.com/<tenantId> for an "
    "external tenant, https://login.microsoftonline.com/<tenantId> for a workforce tenant.",
    explain="The kind of the tenant is read from its organization object. Reports disagree on where External ID keeps "
    "its keys, so Claims__AdditionalAuthorityUrls may name the other host; the first must be the documented one.",
    bad="AuthenticationEvents__AuthorityUrl=https://login.microsoftonline.com/<id of an external tenant>",
    good="AuthenticationEvents__AuthorityUrl=https://<name>.ciamlogin.com/<id of an external tenant>",
)
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


@statement(
    "D11",
    "App Service Authentication allows Entra's event service",
    code=_REFUSED,
    needs=("easyauth",),
    source=f"{_CONFIGURE}; azure-docs configure-authentication-provider-aad.md",
    why="By default it allows only tokens that the app got for itself, and answers Entra 403 before your code runs.",
    fix=f'{_AUTHENTICATION} > "Allow requests from specific client applications": {EVENT_SERVICE_APP_ID}.',
    explain="validation.defaultAuthorizationPolicy.allowedApplications in authsettingsV2 names the caller.\n"
    "App settings do not show it: give --easyauth FILE, written by "
    "`az webapp auth show -g <group> -n <app>`.",
    bad='"allowedApplications": ["<the endpoint\'s own client id>"]',
    good=f'"allowedApplications": ["{EVENT_SERVICE_APP_ID}"]',
)
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


@statement(
    "D12",
    "App Service Authentication allows this tenant",
    code=_REFUSED,
    needs=("easyauth", "tenant-id"),
    source="azure-docs configure-authentication-provider-aad.md",
    why="Where tenants are listed, a token of any other is answered 403 before your code runs.",
    fix=f"{_AUTHENTICATION} > Tenant requirement: add this tenant.",
    explain=f"{ALLOWED_TENANTS}, where it is set, names the tenant that was read.",
)
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


@statement(
    "D13",
    "App Service Authentication answers 401 instead of a redirect",
    level="hardening",
    code=_REFUSED,
    needs=("easyauth",),
    source=_CONFIGURE,
    why="A redirect to a sign-in page is useless for a service, and hides what is wrong with its token.",
    fix=f"{_AUTHENTICATION.rpartition(' > the')[0]} > Edit settings > Unauthenticated requests: HTTP 401.",
    explain="globalValidation.unauthenticatedClientAction is Return401.",
    bad='"unauthenticatedClientAction": "RedirectToLoginPage"',
    good='"unauthenticatedClientAction": "Return401"',
)
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

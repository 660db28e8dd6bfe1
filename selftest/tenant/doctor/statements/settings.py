"""D01 to D09: the settings of the endpoint, alone and compared with the tenant.

Settings that differ from the tenant make the endpoint refuse Entra's token, which the sign-in log shows as 1003002 with
status 401 or 403, or as 1003005.
"""

from collections.abc import Iterator
from typing import Final

from selftest.base.setting_names import (
    ADDITIONAL_CALLER_APP_IDS,
    ALLOWED_EXTENSION_IDS,
    APPLICATION_ID_URI,
    AUDIENCE_APP_ID,
    AUTHORITY_URL,
    AUTHORIZED_PARTY_APP_ID,
)
from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.settings import PORTAL_SETTINGS, showable, without_secrets
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import app_setting, patch_application

#: Microsoft's worldwide cloud; another cloud may have another caller.
_GLOBAL_HOSTS: Final = ("login.microsoftonline.com", "sts.windows.net")
_CIAM: Final = ".ciamlogin.com"


@statement("D01", "settings", "reader")
def settings_start(case: Case) -> Iterator[TenantFinding]:
    """Repeat what the app's reader says; its warnings are hints."""
    verdict, values = case.judged, case.required_settings.values.values()
    for problem in verdict.problems:
        shorter = case.required_settings.shorter_authority if problem.startswith(AUTHORITY_URL) else None
        yield TenantFinding(
            expected="settings that the endpoint starts with" if shorter is None else f"{AUTHORITY_URL} {shorter}",
            actual=without_secrets(problem, values),
            fix=None if shorter is None else f"{PORTAL_SETTINGS}: set {AUTHORITY_URL} to {shorter}.",
            command=None if shorter is None else app_setting(AUTHORITY_URL, shorter),
        )
    for warning in verdict.warnings:
        actual = without_secrets(warning, values)
        yield TenantFinding(expected="settings without a warning", actual=actual, hint=True)


@statement("D02", "settings", "tenant-id")
def authority_is_of_tenant(case: Case) -> Iterator[TenantFinding]:
    """Compare the tenant ids."""
    if not case.required_settings.tenant_id:
        raise EvidenceMissing("the settings name no tenant (D01)")
    if case.required_settings.tenant_id != case.tenant_id:
        yield TenantFinding(
            expected=f"an authority of tenant {case.tenant_id}",
            actual=f"one of tenant {showable(case.required_settings.tenant_id)}",
            command=app_setting(AUTHORITY_URL, f"https://<authority>/{case.tenant_id}"),
        )


@statement("D03", "settings", "extension")
def audience_is_api(case: Case) -> Iterator[TenantFinding]:
    """Compare the application ids; D22 reports a resource id without one."""
    for extension in case.extensions:
        wanted, have = extension.api_app_id, case.required_settings.audience_app_id
        if wanted is None or not have:
            raise EvidenceMissing("an application id is missing, so there is nothing to compare (D01, D22)")
        if wanted != have:
            yield TenantFinding(
                expected=f"{wanted}, which extension {extension.id} names",
                actual=showable(have),
                command=app_setting(AUDIENCE_APP_ID, wanted),
            )


@statement("D04", "settings", "extension")
def extension_is_allowed(case: Case) -> Iterator[TenantFinding]:
    """Check that the list has the ids, where there is a list."""
    allowed = case.required_settings.items(ALLOWED_EXTENSION_IDS)
    for extension in case.extensions:
        if allowed and extension.id not in allowed:
            yield TenantFinding(
                expected=f"{extension.id} among the allowed extensions",
                actual=", ".join(map(showable, allowed)),
                command=app_setting(ALLOWED_EXTENSION_IDS, extension.id),
            )


@statement("D05", "settings")
def caller_is_entra(case: Case) -> Iterator[TenantFinding]:
    """Compare the caller with the documented one."""
    host, party = case.required_settings.authority_host, case.required_settings.party_app_id
    if host and host not in _GLOBAL_HOSTS and not host.endswith(_CIAM) and not case.required_settings.test_issuer:
        raise EvidenceMissing(f"the caller of the cloud of {host} is not documented")
    if party and party != EVENT_SERVICE_APP_ID:
        yield TenantFinding(
            expected=EVENT_SERVICE_APP_ID,
            actual=showable(party),
            command=app_setting(AUTHORIZED_PARTY_APP_ID, EVENT_SERVICE_APP_ID),
        )


@statement("D06", "settings", "applications", "extension")
def token_audience_is_accepted(case: Case) -> Iterator[TenantFinding]:
    """Check the version of the tokens, and the audience of version 1."""
    for extension in case.extensions:
        application = case.required_tenant.application(extension.api_app_id)
        if application is None:
            raise EvidenceMissing("the endpoint's application is not registered in this tenant")
        if application.token_version == 2:
            continue
        uri = case.required_settings.text(APPLICATION_ID_URI)
        if uri != extension.resource_id:
            yield TenantFinding(
                expected=f"requestedAccessTokenVersion 2, or Claims__ApplicationIdUri {extension.resource_id}",
                actual=f"requestedAccessTokenVersion {application.token_version or 'null'}, "
                f"and Claims__ApplicationIdUri {showable(uri)}",
                command=patch_application(application.app_id, {"api": {"requestedAccessTokenVersion": 2}}),
            )


@statement("D07", "settings", "extension")
def identifier_is_current(case: Case) -> Iterator[TenantFinding]:
    """Compare the two; D06 checks what a version 1 token needs."""
    uri = case.required_settings.text(APPLICATION_ID_URI)
    if not uri:
        raise NotApplicable
    if all(uri != extension.resource_id for extension in case.extensions):
        expected = " or ".join(extension.resource_id or "none" for extension in case.extensions)
        yield TenantFinding(expected=expected, actual=showable(uri))


@statement("D08", "settings", "deployed")
def issuer_is_entra(case: Case) -> Iterator[TenantFinding]:
    """Look for the emulated Entra."""
    if case.required_settings.test_issuer:
        yield TenantFinding(
            expected="the authority of Entra",
            actual=f"{case.required_settings.authority_host} ({case.required_settings.origin})",
            command=app_setting(AUTHORITY_URL, f"https://<authority>/{case.tenant_id or '<tenantId>'}"),
        )


@statement("D09", "settings", "deployed")
def only_entra_calls(case: Case) -> Iterator[TenantFinding]:
    """Count the additional callers."""
    callers = case.required_settings.items(ADDITIONAL_CALLER_APP_IDS)
    if callers:
        yield TenantFinding(
            expected="no additional caller",
            actual=f"{len(callers)}: {', '.join(map(showable, callers))}",
            command="az functionapp config appsettings delete -g <group> -n <app> --setting-names "
            "Claims__AdditionalCallerAppIds Claims__AllowAdditionalCallers",
            hint=case.required_settings.means_additional_callers,
        )

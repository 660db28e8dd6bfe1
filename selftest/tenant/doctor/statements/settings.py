"""D01 to D09: the settings of the endpoint, alone and compared with the tenant.

Settings that differ from the tenant make the endpoint refuse Entra's token, which the sign-in log shows as 1003002 with
status 401 or 403, or as 1003005.
"""

from collections.abc import Iterator
from typing import Final

from selftest.base.setting_names import ALLOWED_EXTENSION_IDS, AUDIENCE_APP_ID, AUTHORITY_URL, AUTHORIZED_PARTY_APP_ID
from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.settings import showable, without_secrets
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import app_setting, patch_application

_REFUSED: Final = 1003002
_SETTINGS_PAGE: Final = "ours: docs/settings.md"
_OVERVIEW: Final = "entra-docs identity-platform/custom-extension-overview.md"
_PORTAL: Final = "Azure portal > the function app > Settings > Environment variables"
#: Microsoft's worldwide cloud; another cloud may have another caller.
_GLOBAL_HOSTS: Final = ("login.microsoftonline.com", "sts.windows.net")
_CIAM: Final = ".ciamlogin.com"


@statement(
    "D01",
    "the endpoint starts with the settings",
    code=1003027,
    needs=("settings", "reader"),
    source=_SETTINGS_PAGE,
    why="The endpoint stops at its start when a setting is missing or contradicts another, so no call is answered.",
    fix=f"{_PORTAL}: correct what is named.",
    explain="The app's own reader is given the settings, in the app's Python; it creates the provider, too.\n"
    "--app-dir names the app's folder. Without one the settings are not judged.",
    bad="AuthenticationEvents__AuthorityUrl=https://login.microsoftonline.com/common",
    good="AuthenticationEvents__AuthorityUrl=https://login.microsoftonline.com/<tenantId>",
)
def settings_start(case: Case) -> Iterator[TenantFinding]:
    """Repeat what the app's reader says; its warnings are hints."""
    verdict = case.judged
    for problem in verdict.problems:
        yield TenantFinding(expected="settings that the endpoint starts with", actual=without_secrets(problem))
    for warning in verdict.warnings:
        yield TenantFinding(expected="settings without a warning", actual=without_secrets(warning), hint=True)


@statement(
    "D02",
    "the authority belongs to this tenant",
    code=_REFUSED,
    needs=("settings", "tenant-id"),
    source=_OVERVIEW,
    why="Otherwise the endpoint trusts another tenant's issuer and keys, and refuses this tenant's tokens.",
    fix=f"{_PORTAL}: set AuthenticationEvents__AuthorityUrl to the authority of this tenant.",
    explain="The tenant's GUID in the authority (or Claims__TenantId) is compared with the tenant that was read.",
)
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


@statement(
    "D03",
    "the audience is the application that the extension names",
    code=_REFUSED,
    needs=("settings", "extension"),
    source=_OVERVIEW,
    why="Entra's token is for the application in the extension's resource id; another audience refuses it.",
    fix=f"{_PORTAL}: set AuthenticationEvents__AudienceAppId to the application id in the extension's resource id.",
    explain="AuthenticationEvents__AudienceAppId is compared with the application id at the end of the resource id.",
    bad="AuthenticationEvents__AudienceAppId=<client id of the app that users sign in to>",
    good="AuthenticationEvents__AudienceAppId=<client id in api://<host>/<client id>>",
)
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


@statement(
    "D04",
    "the endpoint answers this extension",
    code=_REFUSED,
    needs=("settings", "extension"),
    source=_SETTINGS_PAGE,
    why="An event of an extension that is not in Claims__AllowedExtensionIds is answered 403.",
    fix=f"{_PORTAL}: add the extension's id to Claims__AllowedExtensionIds.",
    explain="Where Claims__AllowedExtensionIds is set, it must name the extension. The id changes when the extension "
    "is recreated.",
)
def extension_is_allowed(case: Case) -> Iterator[TenantFinding]:
    """Check that the list has the ids, where there is a list."""
    allowed = case.required_settings.allowed_extension_ids
    for extension in case.extensions:
        if allowed and extension.id not in allowed:
            yield TenantFinding(
                expected=f"{extension.id} among the allowed extensions",
                actual=", ".join(map(showable, allowed)),
                command=app_setting(ALLOWED_EXTENSION_IDS, extension.id),
            )


@statement(
    "D05",
    "the accepted caller is Entra's event service",
    code=_REFUSED,
    needs=("settings",),
    source=_OVERVIEW,
    why="Entra calls as 99045fe1-7639-4a75-9d4a-577b6ca3810f; with another caller in the settings, Entra is refused.",
    fix=f"{_PORTAL}: remove AuthenticationEvents__AuthorizedPartyAppId, or set it to that id.",
    explain="Only for Microsoft's worldwide cloud: national clouds may have another caller, and none is documented.",
    bad="AuthenticationEvents__AuthorizedPartyAppId=<the endpoint's own client id>",
    good=f"AuthenticationEvents__AuthorizedPartyAppId={EVENT_SERVICE_APP_ID}",
)
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


@statement(
    "D06",
    "the settings accept the audience of the token",
    code=_REFUSED,
    needs=("settings", "applications", "extension"),
    source="entra-docs identity-platform/access-token-claims-reference.md (aud)",
    why="A version 1 token may carry the identifier URI as its audience, which is refused unless the settings name it.",
    fix="Entra > App registrations > the endpoint's > Manifest: requestedAccessTokenVersion 2;"
    " or set Claims__ApplicationIdUri.",
    explain="api.requestedAccessTokenVersion of the endpoint's application is 2; or, for 1 and null, "
    "Claims__ApplicationIdUri is the extension's resource id.",
    bad='"api": {"requestedAccessTokenVersion": null}',
    good='"api": {"requestedAccessTokenVersion": 2}',
)
def token_audience_is_accepted(case: Case) -> Iterator[TenantFinding]:
    """Check the version of the tokens, and the audience of version 1."""
    for extension in case.extensions:
        application = case.required_tenant.application(extension.api_app_id)
        if application is None:
            raise EvidenceMissing("the endpoint's application is not registered in this tenant")
        if application.token_version == 2:
            continue
        if case.required_settings.application_id_uri != extension.resource_id:
            yield TenantFinding(
                expected=f"requestedAccessTokenVersion 2, or Claims__ApplicationIdUri {extension.resource_id}",
                actual=f"requestedAccessTokenVersion {application.token_version or 'null'}, "
                f"and Claims__ApplicationIdUri {showable(case.required_settings.application_id_uri)}",
                command=patch_application(application.app_id, {"api": {"requestedAccessTokenVersion": 2}}),
            )


@statement(
    "D07",
    "the identifier URI in the settings is the extension's",
    level="hardening",
    needs=("settings", "extension"),
    source=_SETTINGS_PAGE,
    why="An audience that no token of Entra has is left from an older configuration, and helps an attacker only.",
    fix=f"{_PORTAL}: set Claims__ApplicationIdUri to the resource id, or remove it where tokens have version 2.",
    explain="Claims__ApplicationIdUri, where it is set, is compared with the resource id of the extension.",
)
def identifier_is_current(case: Case) -> Iterator[TenantFinding]:
    """Compare the two; D06 checks what a version 1 token needs."""
    uri = case.required_settings.application_id_uri
    if not uri:
        raise NotApplicable
    if all(uri != extension.resource_id for extension in case.extensions):
        expected = " or ".join(extension.resource_id or "none" for extension in case.extensions)
        yield TenantFinding(expected=expected, actual=showable(uri))


@statement(
    "D08",
    "the trusted issuer is Entra",
    code=_REFUSED,
    needs=("settings", "deployed"),
    source="ours: docs/threat-model.md",
    why="An issuer on that machine may call the endpoint, and Entra may not.",
    fix=f"{_PORTAL}: set AuthenticationEvents__AuthorityUrl to Entra's authority of the tenant.",
    explain="The authority is https and not a loopback address. It may be one for the emulated Entra of this harness, "
    "but not in settings of an app that Entra calls.",
    bad="AuthenticationEvents__AuthorityUrl=http://127.0.0.1:8400/<tenantId>",
    good="AuthenticationEvents__AuthorityUrl=https://login.microsoftonline.com/<tenantId>",
)
def issuer_is_entra(case: Case) -> Iterator[TenantFinding]:
    """Look for the emulated Entra."""
    if case.required_settings.test_issuer:
        yield TenantFinding(
            expected="the authority of Entra",
            actual=f"{case.required_settings.authority_host} ({case.required_settings.origin})",
            command=app_setting(AUTHORITY_URL, f"https://<authority>/{case.tenant_id or '<tenantId>'}"),
        )


@statement(
    "D09",
    "only Entra may call",
    needs=("settings", "deployed"),
    source="ours: docs/threat-model.md",
    why="An additional caller, allowed for a test, may request any user's claims until it is removed.",
    fix=f"{_PORTAL}: remove Claims__AdditionalCallerAppIds and Claims__AllowAdditionalCallers.",
    explain="Claims__AdditionalCallerAppIds is empty. Where Claims__AllowAdditionalCallers permits them, it "
    "is a hint; without that the endpoint does not start in Azure.",
)
def only_entra_calls(case: Case) -> Iterator[TenantFinding]:
    """Count the additional callers."""
    callers = case.required_settings.additional_callers
    if callers:
        yield TenantFinding(
            expected="no additional caller",
            actual=f"{len(callers)}: {', '.join(map(showable, callers))}",
            command="az functionapp config appsettings delete -g <group> -n <app> --setting-names "
            "Claims__AdditionalCallerAppIds Claims__AllowAdditionalCallers",
            hint=case.required_settings.means_additional_callers,
        )

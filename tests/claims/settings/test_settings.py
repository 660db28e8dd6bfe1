"""Settings: whole and right, or every problem at once."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.contract import EVENT_SERVICE_APP_ID
from claims.errors import SettingsError
from claims.settings.authority import parse_metadata
from claims.settings.settings import DEFAULT_BUDGET_MS, Settings
from tests.claims.site import AUDIENCE, AUTHORITY, EXTENSION_ID, ISSUERS, TENANT_ID, settings

OTHER = "99999999-9999-4999-8999-999999999999"


def test_defaults() -> None:
    """Two settings are enough; only Entra is a caller, any extension of the tenant is answered."""
    given = {
        "AuthenticationEvents__AuthorityUrl": AUTHORITY + "/",
        "AuthenticationEvents__AudienceAppId": AUDIENCE.upper(),
    }
    made = Settings.from_env(given)
    assert [authority.url for authority in made.authorities] == [AUTHORITY]
    assert (made.tenant_id, made.audience_app_id) == (TENANT_ID, AUDIENCE)
    assert made.caller_app_ids == {EVENT_SERVICE_APP_ID}
    assert (made.allowed_extension_ids, made.application_id_uri) == (frozenset(), None)
    assert (made.budget_ms, made.provider, made.warnings) == (DEFAULT_BUDGET_MS, "sample", ())


def test_every_problem_is_reported_at_once() -> None:
    """One start, one message, every setting at fault."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(
            {"Claims__BudgetMs": "2000", "Claims__Provider": "../x", "Claims__ApplicationIdUri": "https://x"}
        )
    names = [problem.split()[0] for problem in refused.value.problems]
    assert names == [
        "AuthenticationEvents__AuthorityUrl",
        "AuthenticationEvents__AudienceAppId",
        "Claims__ApplicationIdUri",
        "Claims__BudgetMs",
        "Claims__Provider",
    ]
    assert all(name in str(refused.value) for name in names)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"AuthenticationEvents__AudienceAppId": "x"}, "AudienceAppId must be a GUID"),
        ({"AuthenticationEvents__AudienceAppId": "0" * 8 + "-0000-0000-0000-" + "0" * 12}, "must be a GUID"),
        ({"AuthenticationEvents__AuthorizedPartyAppId": ""}, "AuthorizedPartyAppId is required"),
        ({"AuthenticationEvents__AuthorizedPartyAppId": "x"}, "AuthorizedPartyAppId must be a GUID"),
        ({"AuthenticationEvents__AuthorityUrl": "http://example.com/x"}, "must be https"),
        ({"Claims__TenantId": OTHER}, "names the tenant"),
        ({"Claims__TenantId": "x"}, "TenantId must be a GUID"),
        (
            {"AuthenticationEvents__AuthorityUrl": "https://login.microsoftonline.com/contoso.com"},
            "TenantId is required",
        ),
        ({"Claims__AdditionalAuthorityUrls": f"https://x.ciamlogin.com/{OTHER}"}, "must be of the tenant"),
        ({"Claims__AdditionalAuthorityUrls": "https://x.ciamlogin.com/common"}, "must name one tenant"),
        ({"AuthenticationEvents__AuthorityUrl": f"{AUTHORITY}?"}, "must not have a query"),
        ({"AuthenticationEvents__AuthorityUrl": "https://[::1"}, "AuthorityUrl must be https://<host>"),
        ({"AuthenticationEvents__BypassTokenValidation": "true"}, "BypassTokenValidation must be removed"),
        ({"AuthenticationEvents__BypassTokenValidation": "1"}, "BypassTokenValidation must be removed"),
        ({"Claims__AllowedExtensionIds": f"{EXTENSION_ID},x"}, "AllowedExtensionIds must be a GUID"),
        ({"Claims__AdditionalCallerAppIds": OTHER, "WEBSITE_SITE_NAME": "app"}, "refused in Azure"),
        ({"Claims__AllowAdditionalCallers": "yes"}, "must be false or true"),
        (
            {"AuthenticationEvents__AuthorityUrl": f"http://127.0.0.1/{TENANT_ID}", "WEBSITE_INSTANCE_ID": "x"},
            "outside Azure",
        ),
        ({"Claims__OnFailure": "ignore"}, "must be fail, omit or stale"),
        ({"Claims__StaleSeconds": "0"}, "1 to 86400 seconds"),
        ({"Claims__MaxConcurrent": "0"}, "1 to 10000 events"),
        ({"Claims__Credential": "password"}, "must be one of default, managed-identity, "),
        ({"Claims__Credential": "Managed-Identity"}, "must be one of"),
        *(({"Claims__BudgetMs": text}, "100 to 1900") for text in ("99", "1901", "-5", "1e3", "²00", "9" * 5000)),
    ],
    ids=lambda value: str(value)[:70],
)
def test_refused(changes: dict[str, str], why: str) -> None:
    """A wrong or contradictory setting stops the start."""
    with pytest.raises(SettingsError, match=why):
        settings(**changes)


def test_authorities_are_compared_as_urls() -> None:
    """A capital letter or the default port makes no other authority, and no other tenant."""
    written = f"https://LOGIN.microsoftonline.com:443/{TENANT_ID}"
    made = settings(AuthenticationEvents__AuthorityUrl=written, Claims__AdditionalAuthorityUrls=AUTHORITY)
    assert [authority.url for authority in made.authorities] == [AUTHORITY]
    keys = {"issuer": ISSUERS["2.0"], "jwks_uri": f"{AUTHORITY}/discovery/v2.0/keys"}
    assert parse_metadata(json.dumps(keys).encode(), made.authorities[0], "2.0")[0] == ISSUERS["2.0"]


@given(st.text(), st.sampled_from(["AuthenticationEvents__AuthorityUrl", "Claims__AdditionalAuthorityUrls"]))
def test_any_text_is_read_or_refused(text: str, name: str) -> None:
    """No text in the place of an authority raises anything but a settings error."""
    with contextlib.suppress(SettingsError):
        assert settings(**{name: text}).tenant_id == TENANT_ID


def test_bypass_that_is_off() -> None:
    """Microsoft's own setting may stay where it says what is so anyway."""
    assert settings(AuthenticationEvents__BypassTokenValidation="False").warnings == ()


def test_domain_name_with_tenant_id() -> None:
    """An authority that ends in a domain name needs the tenant's id beside it."""
    url = "https://login.microsoftonline.com/contoso.com"
    made = settings(AuthenticationEvents__AuthorityUrl=url, Claims__TenantId=TENANT_ID.upper())
    assert made.tenant_id == TENANT_ID


def test_additional_authorities_and_callers() -> None:
    """Lists are comma-separated, blanks do not matter, and additional callers are warned of."""
    ciam = f"https://contoso.ciamlogin.com/{TENANT_ID}"
    made = settings(
        Claims__AdditionalAuthorityUrls=f" {ciam} ,,{AUTHORITY}", Claims__AdditionalCallerAppIds=f"{OTHER} "
    )
    assert [authority.url for authority in made.authorities] == [AUTHORITY, ciam]
    assert made.caller_app_ids == {EVENT_SERVICE_APP_ID, OTHER}
    assert "1 more callers" in made.warnings[0]


def test_additional_callers_in_azure_must_be_meant() -> None:
    """A second setting says that it is no left-over."""
    made = settings(
        Claims__AdditionalCallerAppIds=OTHER, Claims__AllowAdditionalCallers="True", WEBSITE_SITE_NAME="app"
    )
    assert OTHER in made.caller_app_ids
    assert made.warnings


def test_another_authorized_party() -> None:
    """A sovereign cloud's event service may have another id; it then replaces Entra's."""
    assert settings(AuthenticationEvents__AuthorizedPartyAppId=OTHER).caller_app_ids == {OTHER}


APP = {"AZURE_TENANT_ID": TENANT_ID, "AZURE_CLIENT_ID": OTHER}
IN_AZURE = {"WEBSITE_SITE_NAME": "app"}
IDENTITY = {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/msi/token", "IDENTITY_HEADER": "x"}


@pytest.mark.parametrize(
    ("kind", "given", "why"),
    [
        ("client-secret", APP, "AZURE_CLIENT_SECRET is required by Claims__Credential=client-secret"),
        ("client-secret", {"AZURE_CLIENT_SECRET": "x"}, "AZURE_TENANT_ID is required"),
        ("client-certificate", APP, "AZURE_CLIENT_CERTIFICATE_PATH is required"),
        ("workload-identity", APP, "AZURE_FEDERATED_TOKEN_FILE is required"),
        (
            "client-secret",
            {**APP, "AZURE_CLIENT_SECRET": "x", "AZURE_AUTHORITY_HOST": "http://127.0.0.1"},
            "AZURE_AUTHORITY_HOST must be https",
        ),
        ("managed-identity", IN_AZURE, "needs an identity, and the app has none"),
        ("managed-identity", {**IN_AZURE, "IDENTITY_ENDPOINT": "http://127.0.0.1:1"}, "needs an identity"),
        ("azure-cli", IN_AZURE, "refused in Azure"),
    ],
)
def test_credential_refused(kind: str, given: dict[str, str], why: str) -> None:
    """A kind that can never give a token with these settings stops the start, and no secret is in the message."""
    with pytest.raises(SettingsError, match=why) as refused:
        settings(Claims__Credential=kind, **given)
    assert "'x'" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("default", {}),
        ("default", IN_AZURE),
        ("azure-cli", {}),
        ("managed-identity", {}),
        ("managed-identity", {**IN_AZURE, **IDENTITY}),
        ("client-secret", {**APP, "AZURE_CLIENT_SECRET": "x", "AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}),
        ("client-secret", {**APP, "AZURE_CLIENT_SECRET": "x", "AZURE_AUTHORITY_HOST": "HTTPS://Login.example"}),
        ("client-certificate", {**APP, "AZURE_CLIENT_CERTIFICATE_PATH": "app.pem"}),
        ("workload-identity", {**APP, "AZURE_FEDERATED_TOKEN_FILE": "token"}),
    ],
)
def test_credential_accepted(kind: str, given: dict[str, str]) -> None:
    """Every kind with all that it needs; an authority may be a bare host, as azure-identity takes it."""
    assert settings(Claims__Credential=f" {kind} ", **given).warnings == ()

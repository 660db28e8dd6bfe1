"""The settings of the endpoint: read once, checked whole, never changed.

They have the names that Microsoft's .NET trigger uses, where it has them, so that an app that migrates keeps its
settings. No setting turns token validation off. Tenant and audience have no default, because a guess there would be a
hole.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from claims.contract import EVENT_SERVICE_APP_ID, is_guid
from claims.settings.authority import Authority, parse_authority
from claims.settings.credential import CREDENTIAL, DEFAULT_KIND, credential_problems
from claims.settings.reader import SettingsReader
from claims.settings.shared_cache import SHARED_CACHE, SHARED_CACHE_SETTINGS, CacheAddress, read_shared_cache

AUTHORITY_URL: Final = "AuthenticationEvents__AuthorityUrl"
AUDIENCE_APP_ID: Final = "AuthenticationEvents__AudienceAppId"
AUTHORIZED_PARTY_APP_ID: Final = "AuthenticationEvents__AuthorizedPartyAppId"
BYPASS_TOKEN_VALIDATION: Final = "AuthenticationEvents__BypassTokenValidation"  # noqa: S105 (the name of a setting)
APPLICATION_ID_URI: Final = "Claims__ApplicationIdUri"
TENANT_ID: Final = "Claims__TenantId"
ADDITIONAL_AUTHORITY_URLS: Final = "Claims__AdditionalAuthorityUrls"
ADDITIONAL_CALLER_APP_IDS: Final = "Claims__AdditionalCallerAppIds"
ALLOW_ADDITIONAL_CALLERS: Final = "Claims__AllowAdditionalCallers"
ALLOWED_EXTENSION_IDS: Final = "Claims__AllowedExtensionIds"
BUDGET_MS: Final = "Claims__BudgetMs"
ON_FAILURE: Final = "Claims__OnFailure"
STALE_SECONDS: Final = "Claims__StaleSeconds"
MAX_CONCURRENT: Final = "Claims__MaxConcurrent"
PROVIDER: Final = "Claims__Provider"
#: What they mean: docs/settings.md.
SETTINGS: Final = (
    AUTHORITY_URL,
    AUDIENCE_APP_ID,
    AUTHORIZED_PARTY_APP_ID,
    BYPASS_TOKEN_VALIDATION,
    APPLICATION_ID_URI,
    TENANT_ID,
    ADDITIONAL_AUTHORITY_URLS,
    ADDITIONAL_CALLER_APP_IDS,
    ALLOW_ADDITIONAL_CALLERS,
    ALLOWED_EXTENSION_IDS,
    BUDGET_MS,
    ON_FAILURE,
    STALE_SECONDS,
    MAX_CONCURRENT,
    PROVIDER,
    CREDENTIAL,
    *SHARED_CACHE_SETTINGS,
)

MIN_BUDGET_MS: Final = 100
MAX_BUDGET_MS: Final = 1900
DEFAULT_BUDGET_MS: Final = 1500
MAX_STALE_S: Final = 24 * 3600
DEFAULT_STALE_S: Final = 3600
#: Measured: docs/timing-budget.md, "Overload".
DEFAULT_MAX_CONCURRENT: Final = 200

type OnFailure = Literal["fail", "omit", "stale"]

_PROVIDER_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the endpoint may believe, and how long it may take.

    Attributes:
        authorities: Those whose metadata is trusted; the first is ``AuthenticationEvents__AuthorityUrl``. All of one
            tenant.
        tenant_id: The only tenant, a GUID in lower case.
        audience_app_id: The client id of the API's app registration, a GUID in lower case.
        application_id_uri: The other audience that a v1.0 token may carry, or None.
        caller_app_ids: The accepted callers: Entra's event service, and those that direct tests add.
        allowed_extension_ids: The only extensions answered; empty means any of the tenant.
        budget_ms: The answer leaves this many milliseconds after the request came.
        on_failure: What is answered when the provider fails or is late.
        stale_s: For how many seconds ``stale`` may answer with a user's last good claims.
        max_concurrent: How many events the provider works on at once.
        provider: The name of the provider's module in ``claims/providers/``.
        shared_cache: Where all instances keep last good claims for ``stale``; None: each in its own memory.
        warnings: What is legal and should not stay, one sentence each.
    """

    authorities: tuple[Authority, ...]
    tenant_id: str
    audience_app_id: str
    application_id_uri: str | None
    caller_app_ids: frozenset[str]
    allowed_extension_ids: frozenset[str]
    budget_ms: int
    on_failure: OnFailure
    stale_s: int
    max_concurrent: int
    provider: str
    shared_cache: CacheAddress | None = None
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from the environment, where Azure puts app settings.

        Raises:
            SettingsError: Naming every setting that is missing, malformed, misspelled or contradicts another.
        """
        reader = SettingsReader(environ, SETTINGS)
        settings = cls.read(reader)
        reader.require_good()
        return settings

    @classmethod
    def read(cls, reader: SettingsReader) -> "Settings":
        """Read the settings; the result is good only if the reader has no problems."""
        urls, tenant_id = _authorities(reader)
        settings = cls(
            authorities=tuple(Authority(url, tenant_id) for url in urls),
            tenant_id=tenant_id,
            audience_app_id=reader.guid(AUDIENCE_APP_ID, required=True),
            application_id_uri=_application_id_uri(reader),
            caller_app_ids=_callers(reader),
            allowed_extension_ids=reader.guids(ALLOWED_EXTENSION_IDS),
            budget_ms=reader.integer(BUDGET_MS, DEFAULT_BUDGET_MS, MIN_BUDGET_MS, MAX_BUDGET_MS, "milliseconds"),
            on_failure=reader.choice(ON_FAILURE, "fail", "omit", "stale"),
            stale_s=reader.integer(STALE_SECONDS, DEFAULT_STALE_S, 1, MAX_STALE_S, "seconds"),
            max_concurrent=reader.integer(MAX_CONCURRENT, DEFAULT_MAX_CONCURRENT, 1, 10_000, "events"),
            provider=reader.text(PROVIDER, "sample"),
            shared_cache=read_shared_cache(reader),
        )
        if settings.shared_cache and settings.on_failure != "stale":
            reader.warnings.append(f"{SHARED_CACHE} is used by {ON_FAILURE}=stale only: nothing is kept there")
        if problem := provider_name_problem(settings.provider):
            reader.problems.append(problem)
        reader.problems += credential_problems(reader.text(CREDENTIAL, DEFAULT_KIND), reader.environ)
        if reader.text(BYPASS_TOKEN_VALIDATION, "false").lower() != "false":
            reader.problem(BYPASS_TOKEN_VALIDATION, "must be removed: this endpoint validates every token")
        reader.check_names(settings.provider)
        return replace(settings, warnings=tuple(reader.warnings))


def _authorities(reader: SettingsReader) -> tuple[list[str], str]:
    """Return the authorities' URLs, each once, and the tenant's id."""
    text = reader.required(AUTHORITY_URL)
    url = reader.check_url(AUTHORITY_URL, text, parse_authority) if text else ""
    tenant_id = _tenant_id(reader, url)
    urls = [url]
    for text in reader.items(ADDITIONAL_AUTHORITY_URLS):
        urls.append(url := reader.check_url(ADDITIONAL_AUTHORITY_URLS, text, parse_authority))
        if tenant_id and is_guid(in_path := _last_segment(url)) and in_path != tenant_id:
            reader.problem(ADDITIONAL_AUTHORITY_URLS, f"must be of the tenant '{tenant_id}', got '{url}'")
    return list(dict.fromkeys(urls)), tenant_id


def _tenant_id(reader: SettingsReader, authority_url: str) -> str:
    in_path, stated = _last_segment(authority_url), reader.guid(TENANT_ID)
    if is_guid(in_path):
        if stated and stated != in_path:
            reader.problem(TENANT_ID, f"is '{stated}', but {AUTHORITY_URL} names the tenant '{in_path}'")
        return in_path
    if authority_url and not stated:
        reader.problem(TENANT_ID, f"is required, because {AUTHORITY_URL} does not end in the tenant's GUID")
    return stated


def _application_id_uri(reader: SettingsReader) -> str | None:
    uri = reader.text(APPLICATION_ID_URI)
    if uri and not uri.startswith("api://"):
        reader.problem(APPLICATION_ID_URI, f"must start with api://, got '{uri}'")
    return uri or None


def _callers(reader: SettingsReader) -> frozenset[str]:
    # Present but empty is an error: the default would accept a caller that nobody configured.
    party = reader.guid(AUTHORIZED_PARTY_APP_ID, required=AUTHORIZED_PARTY_APP_ID in reader.environ)
    additional = reader.guids(ADDITIONAL_CALLER_APP_IDS)
    allowed = reader.choice(ALLOW_ADDITIONAL_CALLERS, "false", "true") == "true"
    if additional and reader.in_azure and not allowed:
        reader.problem(
            ADDITIONAL_CALLER_APP_IDS,
            f"is for direct tests and is refused in Azure (set {ALLOW_ADDITIONAL_CALLERS}=true to allow it)",
        )
    if additional:
        reader.warnings.append(f"{ADDITIONAL_CALLER_APP_IDS}: {len(additional)} more callers than Entra are accepted")
    return additional | {party or EVENT_SERVICE_APP_ID}


def provider_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a provider's module, or None."""
    if _PROVIDER_NAME.fullmatch(name):
        return None
    return f"{PROVIDER} must be the name of a module in claims/providers/, got '{name}'"


def _last_segment(url: str) -> str:
    return url.rpartition("/")[2].lower()

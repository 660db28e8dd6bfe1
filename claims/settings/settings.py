"""The settings: read once, checked whole, never changed.

Microsoft's own names where its .NET trigger has one, so that people who move over keep their settings. There is no
setting that turns token validation off. Tenant and audience have no default: a guess there would be a hole.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from claims.contract import EVENT_SERVICE_APP_ID
from claims.errors import SettingsError
from claims.settings.authority import Authority, authority_problem
from claims.settings.credential import CREDENTIAL, DEFAULT_KIND, credential_problems, runs_in_azure

AUTHORITY_URL: Final = "AuthenticationEvents__AuthorityUrl"
AUDIENCE_APP_ID: Final = "AuthenticationEvents__AudienceAppId"
AUTHORIZED_PARTY_APP_ID: Final = "AuthenticationEvents__AuthorizedPartyAppId"
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

MIN_BUDGET_MS: Final = 100
MAX_BUDGET_MS: Final = 1900
DEFAULT_BUDGET_MS: Final = 1500
MAX_STALE_S: Final = 24 * 3600
DEFAULT_STALE_S: Final = 3600
#: Measured: docs/timing-budget.md, "Overload".
DEFAULT_MAX_CONCURRENT: Final = 200

type OnFailure = Literal["fail", "omit", "stale"]

_GUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ZERO_GUID: Final = "00000000-0000-0000-0000-000000000000"
_PROVIDER_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the endpoint may believe, and how long it may take.

    Attributes:
        authorities: whose metadata is trusted; the first is ``AuthenticationEvents__AuthorityUrl``. All of one tenant.
        tenant_id: the only tenant, a GUID in lower case.
        audience_app_id: the client id of the API's app registration, a GUID in lower case.
        application_id_uri: the other audience that a v1.0 token may carry, or None.
        caller_app_ids: the callers accepted; Entra's event service, and whoever direct tests add.
        allowed_extension_ids: the only extensions answered; empty means any of the tenant.
        budget_ms: the answer leaves this many milliseconds after the request came.
        on_failure: what is answered when the provider fails or is late.
        stale_s: for how many seconds ``stale`` may answer with a user's last good claims.
        max_concurrent: how many events the provider works on at once.
        provider: the module in ``claims/providers/`` that knows the claims.
        credential: how downstream tokens are got, one of `claims.settings.credential.KINDS`.
        warnings: what is legal and should not stay, one sentence each.
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
    credential: str
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from the environment, where Azure puts app settings.

        Raises:
            SettingsError: naming every setting that is missing, malformed or at odds with another.
        """
        reader = _Reader(environ)
        urls = [reader.required(AUTHORITY_URL), *reader.items(ADDITIONAL_AUTHORITY_URLS)]
        tenant_id = reader.tenant_id(urls[0])
        caller_app_ids, warnings = reader.callers()
        settings = cls(
            authorities=reader.authorities(urls, tenant_id),
            tenant_id=tenant_id,
            audience_app_id=reader.guid(AUDIENCE_APP_ID, reader.required(AUDIENCE_APP_ID)),
            application_id_uri=reader.application_id_uri(),
            caller_app_ids=caller_app_ids,
            allowed_extension_ids=reader.guids(ALLOWED_EXTENSION_IDS),
            budget_ms=reader.integer(BUDGET_MS, DEFAULT_BUDGET_MS, MIN_BUDGET_MS, MAX_BUDGET_MS, "milliseconds"),
            on_failure=reader.on_failure(),
            stale_s=reader.integer(STALE_SECONDS, DEFAULT_STALE_S, 1, MAX_STALE_S, "seconds"),
            max_concurrent=reader.integer(MAX_CONCURRENT, DEFAULT_MAX_CONCURRENT, 1, 10_000, "events"),
            provider=reader.provider(),
            credential=reader.credential(),
            warnings=warnings,
        )
        if reader.problems:
            raise SettingsError(tuple(reader.problems))
        return settings


class _Reader:
    """Reads one setting at a time and remembers every problem, so that they are told all at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.in_azure = runs_in_azure(environ)
        self.problems: list[str] = []

    def optional(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def required(self, name: str) -> str:
        value = self.optional(name)
        if not value:
            self.problems.append(f"{name} is required and is not set")
        return value

    def items(self, name: str) -> list[str]:
        return [item for part in self.optional(name).split(",") if (item := part.strip())]

    def guid(self, name: str, value: str) -> str:
        guid = value.lower()
        if value and (not _GUID.fullmatch(guid) or guid == _ZERO_GUID):
            self.problems.append(f"{name} must be a GUID, got '{value}'")
        return guid

    def guids(self, name: str) -> frozenset[str]:
        return frozenset(self.guid(name, item) for item in self.items(name))

    def tenant_id(self, authority_url: str) -> str:
        in_path = _last_segment(authority_url)
        stated = self.guid(TENANT_ID, self.optional(TENANT_ID))
        if _GUID.fullmatch(in_path):
            if stated and stated != in_path:
                self.problems.append(f"{TENANT_ID} is '{stated}', but {AUTHORITY_URL} names the tenant '{in_path}'")
            return in_path
        if authority_url and not stated:
            self.problems.append(f"{TENANT_ID} is required, because {AUTHORITY_URL} does not end in the tenant's GUID")
        return stated

    def authorities(self, urls: list[str], tenant_id: str) -> tuple[Authority, ...]:
        names = [AUTHORITY_URL] + [ADDITIONAL_AUTHORITY_URLS] * (len(urls) - 1)
        for name, url in zip(names, urls, strict=True):
            problem = authority_problem(url, in_azure=self.in_azure) if url else None
            in_path = _last_segment(url)
            if problem is None and _GUID.fullmatch(in_path) and tenant_id and in_path != tenant_id:
                problem = f"must be of the tenant '{tenant_id}'"
            if problem:
                self.problems.append(f"{name} {problem}, got '{url}'")
        return tuple(Authority(url=url.rstrip("/"), tenant_id=tenant_id) for url in dict.fromkeys(urls))

    def callers(self) -> tuple[frozenset[str], tuple[str, ...]]:
        party = EVENT_SERVICE_APP_ID
        if AUTHORIZED_PARTY_APP_ID in self._environ:
            party = self.guid(AUTHORIZED_PARTY_APP_ID, self.required(AUTHORIZED_PARTY_APP_ID))
        additional = self.guids(ADDITIONAL_CALLER_APP_IDS)
        allowed = self.optional(ALLOW_ADDITIONAL_CALLERS).lower()
        if allowed not in {"", "true", "false"}:
            self.problems.append(f"{ALLOW_ADDITIONAL_CALLERS} must be true or false, got '{allowed}'")
        if additional and self.in_azure and allowed != "true":
            self.problems.append(
                f"{ADDITIONAL_CALLER_APP_IDS} is for direct tests and is refused in Azure"
                f" (set {ALLOW_ADDITIONAL_CALLERS}=true to mean it)"
            )
        warning = f"{ADDITIONAL_CALLER_APP_IDS}: {len(additional)} more callers than Entra are accepted"
        return additional | {party}, (warning,) if additional else ()

    def application_id_uri(self) -> str | None:
        uri = self.optional(APPLICATION_ID_URI)
        if uri and not uri.startswith("api://"):
            self.problems.append(f"{APPLICATION_ID_URI} must start with api://, got '{uri}'")
        return uri or None

    def integer(self, name: str, default: int, least: int, most: int, unit: str) -> int:
        text = self.optional(name) or str(default)
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else -1
        if not least <= value <= most:
            self.problems.append(f"{name} must be {least} to {most} {unit}, got '{text}'")
        return value

    def on_failure(self) -> OnFailure:
        match self.optional(ON_FAILURE).lower() or "fail":
            case "fail" | "omit" | "stale" as policy:
                return policy
            case other:
                self.problems.append(f"{ON_FAILURE} must be fail, omit or stale, got '{other}'")
                return "fail"

    def provider(self) -> str:
        name = self.optional(PROVIDER) or "sample"
        if not _PROVIDER_NAME.fullmatch(name):
            self.problems.append(f"{PROVIDER} must be the name of a module in claims/providers/, got '{name}'")
        return name

    def credential(self) -> str:
        kind = self.optional(CREDENTIAL) or DEFAULT_KIND
        self.problems += credential_problems(kind, self._environ)
        return kind


def provider_name(environ: Mapping[str, str]) -> str | None:
    """Read ``Claims__Provider`` alone, for when other settings are at fault; None when it is itself."""
    reader = _Reader(environ)
    name = reader.provider()
    return None if reader.problems else name


def _last_segment(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2].lower()

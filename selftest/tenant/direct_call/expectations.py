"""What the endpoint expects of a token, from the settings that it is started with.

They are taken from flags, then the environment, then ``local.settings.json``; where none of them names a tenant, they
are those of the emulated Entra, so that the command can be tried without a tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from selftest.base.bounded_file import FileError
from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import DEFAULT_TENANT, guid
from selftest.base.settings_file import LOCAL_SETTINGS, parse_settings
from selftest.contract import EVENT_SERVICE_APP_ID

AUTHORITY_URL: Final = "AuthenticationEvents__AuthorityUrl"
AUDIENCE_APP_ID: Final = "AuthenticationEvents__AudienceAppId"
AUTHORIZED_PARTY_APP_ID: Final = "AuthenticationEvents__AuthorizedPartyAppId"
APPLICATION_ID_URI: Final = "Claims__ApplicationIdUri"
TENANT_ID: Final = "Claims__TenantId"
ADDITIONAL_AUTHORITY_URLS: Final = "Claims__AdditionalAuthorityUrls"
ADDITIONAL_CALLER_APP_IDS: Final = "Claims__AdditionalCallerAppIds"
ALLOWED_EXTENSION_IDS: Final = "Claims__AllowedExtensionIds"

#: Where ``python -m selftest entra`` listens unless it is told otherwise.
_EMULATOR: Final = "http://127.0.0.1:8400"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsProblem(CannotRun):
    """Raised when the settings do not say what a token has to be; the message names the setting and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """What the endpoint is set up to accept.

    Attributes:
        authority_urls: whose metadata it reads, without a slash at the end; the first one issues the test's token.
        application_id_uri: the scope's resource, and the other audience of a v1.0 token.
        caller_app_ids: who may call; more than Entra's event service is for tests.
        extension_id: what the test's event says that it is from.
        origin: where the settings come from, for people.
    """

    authority_urls: tuple[str, ...]
    tenant_id: str
    audience_app_id: str
    application_id_uri: str
    caller_app_ids: frozenset[str]
    extension_id: str
    origin: str

    @property
    def emulated(self) -> bool:
        """Say whether the authority is on this machine."""
        return is_loopback(self.authority_urls[0])

    @property
    def external(self) -> bool:
        """Say whether the authority is one of External ID."""
        return (urlsplit(self.authority_urls[0]).hostname or "").endswith(".ciamlogin.com")


def find_settings(file: Path | None, environ: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Collect the settings and say where they come from; both are empty where there are none.

    Raises:
        SettingsProblem: the file cannot be read, or holds no settings.
    """
    ours = {name: value for name, value in environ.items() if name.startswith(("AuthenticationEvents__", "Claims__"))}
    if file is None and not LOCAL_SETTINGS.is_file():
        return ours, "the environment" if ours else ""
    path = file or LOCAL_SETTINGS
    try:
        return {**parse_settings(path), **ours}, f"{path} and the environment" if ours else str(path)
    except FileError as error:
        raise SettingsProblem(str(error)) from error


def expectations(
    settings: Mapping[str, str],
    origin: str,
    *,
    authority_url: str | None = None,
    audience: str | None = None,
    application_id_uri: str | None = None,
) -> Expectations:
    """Read what a token has to be; the named arguments count before the settings.

    Raises:
        SettingsProblem: an id or a URL is missing or is none.
    """
    authority = (authority_url or settings.get(AUTHORITY_URL, "")).strip().rstrip("/")
    if not authority or is_loopback(authority):
        settings = {**_emulated(), **settings}
        authority = authority or settings[AUTHORITY_URL]
        origin = origin or "none; those of the emulated Entra (`python -m selftest entra`)"
    urls = tuple(_authority(url) for url in (authority, *_items(settings, ADDITIONAL_AUTHORITY_URLS)))
    audience_app_id = _guid(AUDIENCE_APP_ID, audience or settings.get(AUDIENCE_APP_ID, ""))
    party = _guid(AUTHORIZED_PARTY_APP_ID, settings.get(AUTHORIZED_PARTY_APP_ID, EVENT_SERVICE_APP_ID))
    made = Expectations(
        authority_urls=urls,
        tenant_id=_guid(TENANT_ID, settings.get(TENANT_ID, "") or authority.rpartition("/")[2]),
        audience_app_id=audience_app_id,
        application_id_uri=application_id_uri or settings.get(APPLICATION_ID_URI, "").strip(),
        caller_app_ids=frozenset(
            {party, *(_guid(ADDITIONAL_CALLER_APP_IDS, each) for each in _items(settings, ADDITIONAL_CALLER_APP_IDS))}
        ),
        extension_id=next(iter(_items(settings, ALLOWED_EXTENSION_IDS)), DEFAULT_TENANT.extension_id),
        origin=origin or "the flags",
    )
    # Without the URI the client id is a resource, too; only v1.0 tokens then differ in their audience.
    return made if made.application_id_uri else replace(made, application_id_uri=audience_app_id)


def is_loopback(url: str) -> bool:
    """Say whether a URL's host is this machine by its name."""
    return (urlsplit(url).hostname or "") in _LOOPBACK


def _emulated() -> dict[str, str]:
    return {
        AUTHORITY_URL: f"{_EMULATOR}/{DEFAULT_TENANT.tenant_id}",
        AUDIENCE_APP_ID: DEFAULT_TENANT.audience_app_id,
        APPLICATION_ID_URI: DEFAULT_TENANT.application_id_uri,
        ALLOWED_EXTENSION_IDS: DEFAULT_TENANT.extension_id,
    }


def _authority(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
    if not secure or not parts.hostname or len(parts.path.strip("/").split("/")) != 1 or not parts.path.strip("/"):
        raise SettingsProblem(
            f"{AUTHORITY_URL} must be https://<host>/<tenantId> (http on a loopback host alone), got {url[:80]!r}; "
            "set it, or give --authority-url"
        )
    return url.rstrip("/")


def _guid(name: str, value: str) -> str:
    try:
        return guid(value.strip())
    except ValueError as error:
        raise SettingsProblem(f"{name}: {error}") from error


def _items(settings: Mapping[str, str], name: str) -> list[str]:
    return [item for part in settings.get(name, "").split(",") if (item := part.strip())]

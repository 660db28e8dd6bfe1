"""What the endpoint expects of a token, from the settings that it is started with.

They are taken from flags, then the environment, then ``local.settings.json``. Where none of them names a tenant, they
are those of the emulated Entra, so that the command can be tried without a tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from selftest.base.bounded_file import FileError
from selftest.base.cannot_run import CannotRun
from selftest.base.loopback import is_this_machine
from selftest.base.program import PROGRAM
from selftest.base.sample_tenant import DEFAULT_TENANT, guid
from selftest.base.setting_names import (
    ADDITIONAL_AUTHORITY_URLS,
    ADDITIONAL_CALLER_APP_IDS,
    ALLOWED_EXTENSION_IDS,
    APPLICATION_ID_URI,
    AUDIENCE_APP_ID,
    AUTHORITY_URL,
    AUTHORIZED_PARTY_APP_ID,
    PREFIXES,
    TENANT_ID,
)
from selftest.base.settings_file import LOCAL_SETTINGS, parse_settings
from selftest.contract import EVENT_SERVICE_APP_ID

#: The settings of an endpoint that trusts ``python -m selftest entra`` at its default address.
_EMULATED: Final = {
    AUTHORITY_URL: f"http://127.0.0.1:8400/{DEFAULT_TENANT.tenant_id}",
    AUDIENCE_APP_ID: DEFAULT_TENANT.audience_app_id,
    APPLICATION_ID_URI: DEFAULT_TENANT.application_id_uri,
    ALLOWED_EXTENSION_IDS: DEFAULT_TENANT.extension_id,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """The tokens that the endpoint is configured to accept.

    Attributes:
        authority_urls: The authorities whose metadata it reads, without a slash at the end; the first one issues the
            test's token.
        application_id_uri: The scope's resource, and the other audience of a v1.0 token.
        caller_app_ids: The accepted callers; any except Entra's event service is for tests.
        extension_id: The extension that the test's event names.
        origin: Where the settings come from, for people.
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
        """Whether the authority is on this machine."""
        return is_this_machine(self.authority_urls[0])

    @property
    def external(self) -> bool:
        """Whether the authority belongs to External ID."""
        return (urlsplit(self.authority_urls[0]).hostname or "").endswith(".ciamlogin.com")


def find_settings(file: Path | None, environ: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Return the settings and where they come from; both are empty where there are none.

    Raises:
        CannotRun: The file cannot be read, or holds no settings.
    """
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIXES)}
    if file is None and not LOCAL_SETTINGS.is_file():
        return ours, "the environment" if ours else ""
    path = file or LOCAL_SETTINGS
    try:
        return {**parse_settings(path), **ours}, f"{path} and the environment" if ours else str(path)
    except FileError as error:
        raise CannotRun(str(error)) from error


def expectations(
    settings: Mapping[str, str],
    origin: str,
    *,
    authority_url: str | None = None,
    audience: str | None = None,
    application_id_uri: str | None = None,
) -> Expectations:
    """Return what the settings expect of a token; the named arguments have precedence over the settings.

    Raises:
        CannotRun: An id or a URL is missing or malformed.
    """
    authority = (authority_url or settings.get(AUTHORITY_URL, "")).strip().rstrip("/")
    if not authority or _on_this_machine(authority):
        settings = {**_EMULATED, **settings}
        authority = authority or settings[AUTHORITY_URL]
        origin = origin or f"none; those of the emulated Entra (`{PROGRAM} entra`)"
    urls = tuple(map(_authority, (authority, *_items(settings, ADDITIONAL_AUTHORITY_URLS))))
    audience_app_id = _guid(AUDIENCE_APP_ID, audience or settings.get(AUDIENCE_APP_ID, ""))
    party = settings.get(AUTHORIZED_PARTY_APP_ID, EVENT_SERVICE_APP_ID)
    callers = _items(settings, ADDITIONAL_CALLER_APP_IDS)
    read = Expectations(
        authority_urls=urls,
        tenant_id=_guid(TENANT_ID, settings.get(TENANT_ID, "") or authority.rpartition("/")[2]),
        audience_app_id=audience_app_id,
        application_id_uri=application_id_uri or settings.get(APPLICATION_ID_URI, "").strip(),
        caller_app_ids=frozenset(
            {_guid(AUTHORIZED_PARTY_APP_ID, party), *(_guid(ADDITIONAL_CALLER_APP_IDS, each) for each in callers)}
        ),
        extension_id=next(iter(_items(settings, ALLOWED_EXTENSION_IDS)), DEFAULT_TENANT.extension_id),
        origin=origin or "the flags",
    )
    # Without a URI the client id is the resource; only the audience of v1.0 tokens differs then.
    return read if read.application_id_uri else replace(read, application_id_uri=audience_app_id)


def _on_this_machine(url: str) -> bool:
    try:
        return is_this_machine(url)
    except ValueError:
        return False


def _authority(url: str) -> str:
    try:
        parts = urlsplit(url.rstrip("/"))
        host, path = parts.hostname, parts.path.strip("/")
        good = parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(url))
    except ValueError:
        good = False
    if not good or not host or not path or "/" in path:
        raise CannotRun(
            f"{AUTHORITY_URL} must be https://<host>/<tenantId> (http on a loopback host alone), got {url[:80]!r}; "
            "set it, or give --authority-url"
        )
    return url.rstrip("/")


def _guid(name: str, value: str) -> str:
    try:
        return guid(value.strip())
    except ValueError as error:
        raise CannotRun(f"{name}: {error}") from error


def _items(settings: Mapping[str, str], name: str) -> list[str]:
    return [item for part in settings.get(name, "").split(",") if (item := part.strip())]

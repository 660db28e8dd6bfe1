"""The settings of the cache that all instances share: where it is, and how the app authenticates to it."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from claims.settings.credential import CREDENTIAL, credential_problems
from claims.settings.reader import SettingsReader
from claims.wire.urls import Url, is_loopback

SHARED_CACHE: Final = "Claims__SharedCache"
SHARED_CACHE_CREDENTIAL: Final = "Claims__SharedCacheCredential"
SHARED_CACHE_PASSWORD: Final = "Claims__SharedCachePassword"  # noqa: S105 (the name of a setting)
SHARED_CACHE_SETTINGS: Final = (SHARED_CACHE, SHARED_CACHE_CREDENTIAL, SHARED_CACHE_PASSWORD)

type CacheCredential = Literal["managed-identity", "password"]

_IDENTITY: Final[CacheCredential] = "managed-identity"
_URL: Final = re.compile(r"(rediss?)://([^/?#@]+:[0-9]{1,5})/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CacheAddress:
    """Where the shared cache is.

    Attributes:
        host: A name or an address.
        port: Its port.
        tls: Whether the connection is encrypted; only a loopback host may do without.
        credential: How the app authenticates; without TLS no identity's token is sent.
        password: For the credential of that name.
    """

    host: str
    port: int
    tls: bool
    credential: CacheCredential
    password: str = field(default="", repr=False)


def read_shared_cache(reader: SettingsReader) -> CacheAddress | None:
    """Return the address of the shared cache; None where none is configured, or none that can be used."""
    credential: CacheCredential = reader.choice(SHARED_CACHE_CREDENTIAL, _IDENTITY, "password")
    password, text = reader.text(SHARED_CACHE_PASSWORD), reader.text(SHARED_CACHE)
    if not text:
        return None
    url = reader.check_url(SHARED_CACHE, text, parse_cache_url)
    if credential == "password" and not password:
        reader.problem(SHARED_CACHE_PASSWORD, f"is required by {SHARED_CACHE_CREDENTIAL}=password and is not set")
    if password.startswith("@Microsoft.KeyVault("):
        reader.problem(SHARED_CACHE_PASSWORD, "is a Key Vault reference that Azure could not resolve")
    tls = url.startswith("rediss:")
    if tls and credential == _IDENTITY:
        found = credential_problems(_IDENTITY, reader.environ)
        reader.problems += [problem.replace(CREDENTIAL, SHARED_CACHE_CREDENTIAL) for problem in found]
    host, _, port = url.partition("://")[2].rpartition(":")
    return CacheAddress(host.strip("[]"), int(port), tls, credential, password) if url else None


def parse_cache_url(text: str, *, in_azure: bool) -> str:
    """Parse ``rediss://host:port``, or ``redis://`` on a loopback host outside Azure.

    Raises:
        ValueError: The text is not such a URL. The message continues a sentence about it, without quoting it.
    """
    found = _URL.fullmatch(text)
    if found is None:
        raise ValueError("must be rediss://<host>:<port>, without a user name, a path or a query")
    scheme, place = found[1].lower(), found[2]
    url = Url.parse(f"https://{place}")
    if scheme == "redis" and (in_azure or not is_loopback(url.host)):
        raise ValueError("must be rediss (redis is for a loopback host, outside Azure)")
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{scheme}://{host}:{int(place.rpartition(':')[2])}"

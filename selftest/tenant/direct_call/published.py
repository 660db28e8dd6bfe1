"""What the authorities publish: their issuer and their keys, for tokens of one version."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import jwt
from msgspec import DecodeError, Struct, json

from selftest.base.loopback import is_this_machine
from selftest.tenant.direct_call.token_request import open_session, read_body

_MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
_PATHS: Final = {"1.0": "/.well-known/openid-configuration", "2.0": "/v2.0/.well-known/openid-configuration"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The documents of one authority.

    Attributes:
        url: The URL of the metadata.
        issuer: The published issuer; None where it could not be read.
        keys: The public keys by key id, without unusable ones.
        problem: Why the documents could not be read; empty where they could.
    """

    url: str
    issuer: str | None = None
    keys: Mapping[str, jwt.PyJWK]
    problem: str = ""


class _Metadata(Struct):
    issuer: str
    jwks_uri: str


class _Keys(Struct):
    keys: tuple[Any, ...] = ()


async def read_published(
    authority_urls: Sequence[str], version: str, *, timeout_s: float = 15.0
) -> tuple[Published, ...]:
    """Read the metadata and the keys of each authority; a document that cannot be read is a problem in the result."""
    urls = [url + _PATHS.get(version, _PATHS["2.0"]) for url in authority_urls]
    return tuple(await asyncio.gather(*(_read(url, timeout_s) for url in urls)))


def is_as_safe(keys_url: str, metadata_url: str) -> bool:
    """Whether keys may be read from a URL: over https, or over http where both documents are on this machine."""
    scheme = urlsplit(keys_url).scheme
    return scheme == "https" or (scheme == "http" and is_this_machine(metadata_url) and is_this_machine(keys_url))


async def _read(url: str, timeout_s: float) -> Published:
    try:
        async with open_session(url, timeout_s=timeout_s) as session:
            metadata = await _document(session, url, _Metadata)
            if not is_as_safe(metadata.jwks_uri, url):
                return Published(url=url, keys={}, problem="its keys are not at an https URL")
            keys = _keys(await _document(session, metadata.jwks_uri, _Keys))
            return Published(url=url, issuer=metadata.issuer, keys=keys)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, DecodeError, RecursionError) as error:
        return Published(url=url, keys={}, problem=f"it cannot be read ({type(error).__name__})")


async def _document[Document: Struct](session: aiohttp.ClientSession, url: str, kind: type[Document]) -> Document:
    async with session.get(url, allow_redirects=False) as response:
        body = await read_body(response, _MAX_DOCUMENT_BYTES)
        if response.status != 200:
            raise ValueError(f"status {response.status}")
    return json.decode(body, type=kind)


def _keys(document: _Keys) -> dict[str, jwt.PyJWK]:
    keys: dict[str, jwt.PyJWK] = {}
    for entry in document.keys:
        kid = entry.get("kid") if isinstance(entry, dict) else None
        if not isinstance(kid, str):
            continue
        try:
            keys[kid] = jwt.PyJWK(entry, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    return keys

"""What the authorities publish: their issuer and their keys, for tokens of one version."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import jwt

from selftest.tenant.direct_call.expectations import is_loopback
from selftest.tenant.direct_call.token_request import open_session, read_body

_MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
_PATHS: Final = {"1.0": "/.well-known/openid-configuration", "2.0": "/v2.0/.well-known/openid-configuration"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One authority's documents.

    Attributes:
        url: of the metadata.
        issuer: that it publishes; None when it could not be read.
        keys: public keys by key id; one that cannot be used is left out.
        problem: why it could not be read; empty when it could.
    """

    url: str
    issuer: str | None = None
    keys: Mapping[str, jwt.PyJWK]
    problem: str = ""


async def read_published(
    authority_urls: Sequence[str], version: str, *, timeout_s: float = 15.0
) -> tuple[Published, ...]:
    """Read the metadata and the keys of each authority; what cannot be read says why, and raises nothing."""
    urls = [url + _PATHS.get(version, _PATHS["2.0"]) for url in authority_urls]
    return tuple(await asyncio.gather(*(_read(url, timeout_s) for url in urls)))


def is_as_safe(keys_url: str, metadata_url: str) -> bool:
    """Say whether keys may be read there: over https, or as the metadata was, where that is on this machine."""
    scheme = urlsplit(keys_url).scheme
    return scheme == "https" or (scheme == "http" and is_loopback(metadata_url) and is_loopback(keys_url))


async def _read(url: str, timeout_s: float) -> Published:
    try:
        async with open_session(url, timeout_s=timeout_s) as session:
            metadata = await _document(session, url)
            issuer, keys_url = metadata.get("issuer"), metadata.get("jwks_uri")
            if not isinstance(issuer, str) or not isinstance(keys_url, str):
                return Published(url=url, keys={}, problem="it names no issuer or no keys")
            if not is_as_safe(keys_url, url):
                return Published(url=url, keys={}, problem="its keys are not at an https URL")
            return Published(url=url, issuer=issuer, keys=_keys(await _document(session, keys_url)))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError) as error:
        return Published(url=url, keys={}, problem=f"it cannot be read ({type(error).__name__})")


async def _document(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url, allow_redirects=False) as response:
        body = await read_body(response, _MAX_DOCUMENT_BYTES)
        if response.status != 200:
            raise ValueError(f"status {response.status}")
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("no object")  # noqa: TRY004 - of JSON, not of a caller's argument
    return document


def _keys(document: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    entries = document.get("keys")
    keys: dict[str, jwt.PyJWK] = {}
    for entry in entries if isinstance(entries, list) else ():
        kid = entry.get("kid") if isinstance(entry, dict) else None
        if not isinstance(kid, str):
            continue
        try:
            keys[kid] = jwt.PyJWK(entry, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    return keys

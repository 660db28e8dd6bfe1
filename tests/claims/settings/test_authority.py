"""Authorities and what their metadata may say."""

import json

import pytest

from claims.settings.authority import Authority, MetadataError, parse_authority, parse_metadata
from tests.claims.site import AUTHORITY, ISSUERS, KEYS_V2, TENANT_ID
from tests.claims.token.hostile_documents import METADATA


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (AUTHORITY, AUTHORITY),
        (f"https://LOGIN.microsoftonline.com:443/{TENANT_ID}/", AUTHORITY),
        (f"https://contoso.ciamlogin.com/{TENANT_ID}", f"https://contoso.ciamlogin.com/{TENANT_ID}"),
        ("https://login.microsoftonline.com/Contoso.com", "https://login.microsoftonline.com/Contoso.com"),
        (f"http://127.0.0.1:8400/{TENANT_ID}", f"http://127.0.0.1:8400/{TENANT_ID}"),
        (f"http://[::1]:8400/{TENANT_ID}", f"http://[::1]:8400/{TENANT_ID}"),
        (f"http://localhost:80/{TENANT_ID}//", f"http://localhost/{TENANT_ID}"),
    ],
)
def test_authority_is_accepted(text: str, url: str) -> None:
    """A tenant-specific authority over https anywhere, over http on this machine; written in one form."""
    assert parse_authority(text, in_azure=False) == url


@pytest.mark.parametrize(
    ("url", "in_azure", "why"),
    [
        ("login.microsoftonline.com/x", False, "https://<host>"),
        ("http://login.microsoftonline.com/x", False, "loopback"),
        (f"http://127.0.0.1/{TENANT_ID}", True, "outside Azure"),
        ("https://login.microsoftonline.com/x?y=1", False, "query"),
        ("https://login.microsoftonline.com/x?", False, "query"),
        ("https://login.microsoftonline.com/x#", False, "fragment"),
        ("https://user@login.microsoftonline.com/x", False, "user name"),
        ("https://login.microsoftonline.com", False, "path segment"),
        ("https://login.microsoftonline.com/", False, "path segment"),
        ("https://login.microsoftonline.com/..", False, "path segment"),
        ("https://login.microsoftonline.com//x", False, "path segment"),
        ("https://login.microsoftonline.com/x/v2.0", False, "path segment"),
        ("https://login.microsoftonline.com/Common", False, "one tenant"),
        ("https://login.microsoftonline.com/organizations", False, "one tenant"),
        ("https://login.microsoftonline.com/consumers", False, "one tenant"),
    ],
)
def test_authority_is_refused(url: str, in_azure: bool, why: str) -> None:  # noqa: FBT001 (a table)
    """Everything else has a reason."""
    with pytest.raises(ValueError, match=why):
        parse_authority(url, in_azure=in_azure)


@pytest.mark.parametrize(
    ("authority", "version", "issuer"),
    [
        (AUTHORITY, "2.0", ISSUERS["2.0"]),
        (AUTHORITY, "1.0", ISSUERS["1.0"]),
        (AUTHORITY, "1.0", f"{AUTHORITY}/"),
        ("https://login.microsoftonline.com/contoso.onmicrosoft.com", "2.0", ISSUERS["2.0"]),
        ("https://contoso.ciamlogin.com/x", "2.0", f"https://contoso.ciamlogin.com/{TENANT_ID}/v2.0"),
        ("https://contoso.ciamlogin.com/x", "2.0", f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0"),
        ("https://contoso.ciamlogin.com/x", "1.0", f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/"),
        ("http://127.0.0.1:8400/x", "2.0", f"http://127.0.0.1:8400/{TENANT_ID}/v2.0"),
    ],
)
def test_issuer_of_the_tenant(authority: str, version: str, issuer: str) -> None:
    """Each documented form of the tenant's own issuer is accepted."""
    assert version in {"1.0", "2.0"}
    keys = f"{authority.rsplit('/', 1)[0]}/keys"
    document = json.dumps({"issuer": issuer, "jwks_uri": keys}).encode()
    made = parse_metadata(document, Authority(authority, TENANT_ID), version)  # type: ignore[arg-type] # checked above
    assert made == (issuer, keys)


@pytest.mark.parametrize(("authority", "document"), METADATA[:-3], ids=lambda value: str(value)[:80])
def test_document_is_refused(authority: Authority, document: object) -> None:
    """Another tenant's issuer, or keys on another host."""
    with pytest.raises(MetadataError):
        parse_metadata(json.dumps(document).encode(), authority, "2.0")


def test_document_is_not_json() -> None:
    """A page instead of a document."""
    with pytest.raises(MetadataError, match="not JSON"):
        parse_metadata(b"<html>", Authority(AUTHORITY, TENANT_ID), "2.0")


def test_external_id_keys_on_the_twin_host() -> None:
    """External ID's tenant-id host may serve the keys; a workforce authority's may not."""
    twin = f"https://{TENANT_ID}.ciamlogin.com/keys"
    assert Authority("https://contoso.ciamlogin.com/x", TENANT_ID).serves_keys(twin)
    assert not Authority(AUTHORITY, TENANT_ID).serves_keys(twin)
    assert Authority(AUTHORITY, TENANT_ID).serves_keys(AUTHORITY + KEYS_V2)


@pytest.mark.parametrize(
    ("jwks_uri", "serves"),
    [
        (f"https://LOGIN.microsoftonline.com:443/{TENANT_ID}/keys?p=x", True),
        ("https://login.microsoftonline.com:8443/keys", False),
        ("https://login.microsoftonline.com@evil.example/keys", False),
        ("https://login.microsoftonline.com\\@evil.example/keys", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_key_urls_are_compared_as_urls(jwks_uri: str, *, serves: bool) -> None:
    """Case and a default port do not matter; what parsers read differently is refused."""
    assert Authority(AUTHORITY, TENANT_ID).serves_keys(jwks_uri) is serves

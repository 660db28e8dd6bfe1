"""Authorities and what their metadata may say."""

import json

import pytest

from claims.settings.authority import Authority, authority_problem, is_loopback
from claims.token.metadata import MetadataError, parse_metadata
from tests.claims.site import AUTHORITY, ISSUERS, KEYS_V2, TENANT_ID
from tests.claims.token.hostile_documents import METADATA


@pytest.mark.parametrize(
    ("url", "in_azure"),
    [
        (AUTHORITY, True),
        (f"https://contoso.ciamlogin.com/{TENANT_ID}", True),
        ("https://login.microsoftonline.com/contoso.onmicrosoft.com", True),
        (f"http://127.0.0.1:8400/{TENANT_ID}", False),
        (f"http://[::1]:8400/{TENANT_ID}", False),
        (f"http://localhost/{TENANT_ID}/", False),
    ],
)
def test_authority_is_accepted(url: str, in_azure: bool) -> None:  # noqa: FBT001 (a table)
    """A tenant-specific authority over https anywhere, over http on this machine."""
    assert authority_problem(url, in_azure=in_azure) is None


@pytest.mark.parametrize(
    ("url", "in_azure", "why"),
    [
        ("login.microsoftonline.com/x", False, "https://<host>"),
        ("ftp://login.microsoftonline.com/x", False, "https://<host>"),
        ("https:///x", False, "https://<host>"),
        ("http://login.microsoftonline.com/x", False, "loopback"),
        (f"http://127.0.0.1/{TENANT_ID}", True, "outside Azure"),
        ("http://127.0.0.1.example/x", False, "loopback"),
        ("https://login.microsoftonline.com/x?y=1", False, "query"),
        ("https://login.microsoftonline.com/x#y", False, "fragment"),
        ("https://user@login.microsoftonline.com/x", False, "user name"),
        ("https://login.microsoftonline.com", False, "path segment"),
        ("https://login.microsoftonline.com/x/v2.0", False, "path segment"),
        ("https://login.microsoftonline.com/Common", False, "one tenant"),
        ("https://login.microsoftonline.com/organizations", False, "one tenant"),
        ("https://login.microsoftonline.com/consumers", False, "one tenant"),
        ("https://login.microsoftonline.com:0/x", False, "plain ASCII"),
        ("https://login.microsoftonline.com:99999/x", False, "plain ASCII"),
        ("https://[::1/x", False, "plain ASCII"),
        ("https://lógin.example/x", False, "plain ASCII"),
        ("https://login.microsoftonline.com/a b", False, "plain ASCII"),
    ],
)
def test_authority_is_refused(url: str, in_azure: bool, why: str) -> None:  # noqa: FBT001 (a table)
    """Everything else has a reason."""
    problem = authority_problem(url, in_azure=in_azure)
    assert problem is not None
    assert why in problem


def test_loopback_names() -> None:
    """Only this machine is loopback, whatever a name looks like."""
    assert is_loopback("localhost")
    assert is_loopback("127.9.9.9")
    assert not is_loopback("localhost.example")
    assert not is_loopback("10.0.0.1")


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
    metadata = parse_metadata(document, Authority(authority, TENANT_ID), version)  # type: ignore[arg-type] # checked above
    assert (metadata.issuer, metadata.jwks_uri) == (issuer, keys)


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

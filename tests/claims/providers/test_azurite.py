"""Claims from a table, against a real Azurite."""

import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import trustme
from azure.core.credentials import AccessToken
from azure.data.tables import EdmType, EntityProperty
from azure.data.tables.aio import TableServiceClient

from claims.downstream.issued_token import DownstreamToken
from claims.downstream.table_client import STORAGE_SCOPE, client_with_token
from claims.errors import ProviderFailed
from claims.providers.table import TableProvider, create
from claims.reply import build_reply
from claims.settings.claim_names import ClaimNames
from selftest.entra.signing import generate_signing_key, sign_compact
from tests.claims.providers.azurite import azurite, connection_string, why_not
from tests.claims.providers.desk import EVENT, USER_ID, Issuer, cache_of, event_for, some_context
from tests.claims.site import TENANT_ID

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

ENTITY = {
    "PartitionKey": TENANT_ID,
    "RowKey": USER_ID,
    "Level": "gold",
    "Roles": "Writer, Editor,,",
    "Points": EntityProperty(9_007_199_254_740_993, EdmType.INT64),
    "Visits": 17,
    "Active": True,
    "Score": 1.5,
    "Member": UUID("99999999-9999-4999-8999-999999999999"),
    "Since": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def account(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Give an account with the user's entity in the table ``claims``."""
    async with azurite(cwd=tmp_path_factory.mktemp("azurite")) as url:
        await _fill(TableServiceClient.from_connection_string(connection_string(url)))
        yield url


async def _fill(service: TableServiceClient) -> None:
    async with service:
        table = await service.create_table("claims")
        await table.upsert_entity(ENTITY)


def _settings(url: str, **more: str) -> dict[str, str]:
    return {
        "Claims__Table__Name": "claims",
        "Claims__Table__ConnectionString": connection_string(url),
        **{f"Claims__Table__{name}": value for name, value in more.items()},
    }


async def test_entity_becomes_claims(account: str) -> None:
    """Every type of property has its form as a claim."""
    async with aclosing(create(_settings(account, Lists="Roles"))) as provider:
        provider.start()
        claims = await provider.provide(EVENT, some_context())
        reply: dict[str, Any] = {"Level": "gold", "Roles": ["Writer", "Editor"], "Points": 9_007_199_254_740_993}
        assert reply.items() <= dict(claims).items()
        body = build_reply(claims).body.decode()
        for text in (
            '"17"',
            '"true"',
            '"1.5"',
            '"99999999-9999-4999-8999-999999999999"',
            '"2026-01-02T03:04:05+00:00"',
        ):
            assert text in body
        assert "Timestamp" not in claims
        assert not {"PartitionKey", "RowKey"} & claims.keys()


async def test_chosen_properties(account: str) -> None:
    """Selection and renaming."""
    async with aclosing(create(_settings(account, Claims="Level:customerLevel"))) as provider:
        assert await provider.provide(EVENT, some_context()) == {"customerLevel": "gold"}


async def test_user_without_entity(account: str) -> None:
    """No entity, no claims."""
    async with aclosing(create(_settings(account))) as provider:
        assert await provider.provide(event_for("99999999-9999-4999-8999-999999999998"), some_context()) == {}


async def test_missing_table_is_a_failure(account: str) -> None:
    """A table that is not there is no user without claims."""
    async with aclosing(create({**_settings(account), "Claims__Table__Name": "nothing"})) as provider:
        with pytest.raises(ProviderFailed, match="downstream_status: expected 200, got 404"):
            await provider.provide(EVENT, some_context())


# azure-data-tables asks an XML element for its truth when it reads the emulator's refusal.
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
async def test_wrong_key_is_a_failure(account: str) -> None:
    """An account key that is not the account's fails, and is not shown."""
    environ = _settings(account)
    environ["Claims__Table__ConnectionString"] = environ["Claims__Table__ConnectionString"].replace("Eby8", "AAAA")
    async with aclosing(create(environ)) as provider:
        with pytest.raises(ProviderFailed, match="downstream_status: expected 200, got 403"):
            await provider.provide(EVENT, some_context())


class StorageIssuer(Issuer):
    """Issues what Azurite's OAuth check wants to see: a JWT of Entra's form for storage."""

    def __init__(self) -> None:
        super().__init__()
        self._key = generate_signing_key()

    async def __call__(self, scope: str) -> DownstreamToken:
        assert scope == STORAGE_SCOPE
        self.issued += 1
        now_s = int(time.time())
        claims = {"aud": "https://storage.azure.com", "iss": f"https://sts.windows.net/{TENANT_ID}/", "iat": now_s}
        token = sign_compact(
            {"typ": "JWT", "alg": "RS256"}, {**claims, "nbf": now_s - 60, "exp": now_s + 3600}, self._key
        )
        return DownstreamToken(token, expires_on_s=now_s + 3600)


async def test_cached_credential(tmp_path: Path) -> None:
    """With a token from the cache, over TLS: one token for all requests."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    tls = ("--oauth", "basic", "--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"))
    verify = {"connection_verify": str(tmp_path / "ca.pem")}
    issuer = StorageIssuer()
    async with azurite(*tls, scheme="https", cwd=tmp_path) as url, cache_of(issuer, STORAGE_SCOPE) as tokens:
        await _fill(TableServiceClient(url, credential=tokens, **verify))
        provider = TableProvider(
            lambda: client_with_token(url, "claims", tokens, **verify), ClaimNames.parse("Level"), tokens=tokens
        )
        for _ in range(3):
            assert await provider.provide(EVENT, some_context()) == {"Level": "gold"}
        assert isinstance(await tokens.get_token(STORAGE_SCOPE), AccessToken)
        await provider.aclose()
    assert issuer.issued == 1

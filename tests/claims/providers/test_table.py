"""Claims from a table, against a loopback server that answers as the service does; `test_azurite` has the real one."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.data.tables.aio import TableClient

from claims.downstream.table_client import STORAGE_SCOPE, client_with_connection_string, client_with_token
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import ProviderFailed, SettingsError
from claims.providers.table import TableProvider, create
from claims.settings.claim_names import ClaimNames
from tests.claims.providers.azurite import KEY, connection_string
from tests.claims.providers.desk import (
    EVENT,
    USER_ID,
    WITHOUT_USER,
    Answer,
    Api,
    Issuer,
    broken,
    cache_of,
    context_of,
    in_turn,
    new_measurements,
    respond,
    some_context,
)
from tests.claims.site import TENANT_ID

ENTITY = {
    "PartitionKey": TENANT_ID,
    "RowKey": USER_ID,
    "Level": "gold",
    "Roles": "Writer, Editor",
    "Points@odata.type": "Edm.Int64",
    "Points": "9007199254740993",
}


def _error(status: int, code: str) -> Answer:
    return respond({"odata.error": {"code": code, "message": {"lang": "en-us", "value": code}}}, status)


def _settings(api: Api) -> dict[str, str]:
    return {"Claims__Table__Name": "claims", "Claims__Table__ConnectionString": connection_string(api.url)}


async def test_entity_becomes_claims(api: Api) -> None:
    """The keys are no claims; a list is split; a 64-bit integer is its number."""
    api.answer = respond(ENTITY)
    async with aclosing(create({**_settings(api), "Claims__Table__Lists": "Roles,Points"})) as provider:
        provider.start()
        claims = await provider.provide(EVENT, some_context())
    assert claims == {"Level": "gold", "Roles": ["Writer", "Editor"], "Points": 9007199254740993}
    assert api.requests[0].path.endswith(f"claims(PartitionKey='{TENANT_ID}',RowKey='{USER_ID}')")


async def test_without_user(api: Api) -> None:
    """Nobody is asked about nobody; closing what was never opened is nothing."""
    async with aclosing(create(_settings(api))) as provider:
        assert await provider.provide(WITHOUT_USER, some_context()) == {}
    assert api.requests == []


async def test_user_without_entity(api: Api) -> None:
    """No entity is no claims, whatever claims are chosen."""
    api.answer = _error(404, "ResourceNotFound")
    async with aclosing(create({**_settings(api), "Claims__Table__Claims": "Level"})) as provider:
        assert await provider.provide(EVENT, some_context()) == {}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (_error(404, "TableNotFound"), "downstream_status: expected 200, got 404"),
        (_error(403, "AuthorizationFailure"), "downstream_status: expected 200, got 403"),
        (_error(401, "InvalidAuthenticationInfo"), "downstream_status: expected 200, got 401"),
        (_error(503, "ServerBusy"), "downstream_status: expected 200, got 503"),
        (respond(b"{"), "downstream_shape: expected an entity"),
        (broken, "downstream_unreachable: Service"),
    ],
)
async def test_failures(answer: Answer, message: str, api: Api) -> None:
    """Each failure has its code, after one request: the library does not retry by itself."""
    api.answer = answer
    async with aclosing(create(_settings(api))) as provider:
        with pytest.raises(ProviderFailed, match=message):
            await provider.provide(EVENT, some_context())
    assert len(api.requests) <= 2, "aiohttp sends a GET again whose connection broke, azure-core does not"


async def test_user_s_id_is_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The library would log each URL, and that names the user."""
    api.answer = respond(ENTITY)
    with caplog.at_level(logging.INFO):
        async with aclosing(create(_settings(api))) as provider:
            await provider.provide(EVENT, some_context())
    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # that is the server
    assert not [line for line in ours if USER_ID in line]


@pytest.fixture
async def tokens(issuer: Issuer) -> AsyncIterator[DownstreamTokenCache]:
    """Return a cache for the scope of storage."""
    async with cache_of(issuer, STORAGE_SCOPE) as cache:
        yield cache


@pytest.fixture
async def secure(api: Api, tmp_path: Path) -> AsyncIterator[Path]:
    """Serve the API over TLS as well, and give the file of its authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    app = web.Application()
    app.router.add_get("/{tail:.*}", api.handle)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    api.url = str(server.make_url("/account"))
    yield tmp_path / "ca.pem"
    await server.close()


@pytest.fixture
async def provider(api: Api, secure: Path, tokens: DownstreamTokenCache) -> AsyncIterator[TableProvider]:
    """Give a provider with a token."""
    made = TableProvider(
        lambda: client_with_token(api.url, "claims", tokens, connection_verify=str(secure)),
        ClaimNames.parse("Level"),
        tokens=tokens,
    )
    yield made
    await made.aclose()


async def test_token_from_the_cache(provider: TableProvider, api: Api, issuer: Issuer) -> None:
    """Got at the start, used for every request, measured."""
    api.answer = respond(ENTITY)
    provider.start()
    for _ in range(3):
        measured = new_measurements()
        assert await provider.provide(EVENT, context_of(measured)) == {"Level": "gold"}
    assert (measured.cache_hits, set(measured.timings().phases_s)) == (
        {"downstream_token": True},
        {"downstream_token", "downstream_call"},
    )
    assert api.tokens_seen == [f"{STORAGE_SCOPE}#1"] * 3
    assert issuer.issued == 1


async def test_refused_token_is_replaced_once(provider: TableProvider, api: Api, issuer: Issuer) -> None:
    """After a 401 a new token is tried, once."""
    api.answer = in_turn(_error(401, "InvalidAuthenticationInfo"), respond(ENTITY))
    assert await provider.provide(EVENT, some_context()) == {"Level": "gold"}
    assert api.tokens_seen == [f"{STORAGE_SCOPE}#1", f"{STORAGE_SCOPE}#2"]
    api.answer = _error(401, "InvalidAuthenticationInfo")
    with pytest.raises(ProviderFailed, match="got 401"):
        await provider.provide(EVENT, some_context())
    assert issuer.issued == 2


async def test_client_that_cannot_be_built(tokens: DownstreamTokenCache) -> None:
    """What goes wrong in the thread is told to each request, and closing is quiet."""

    def fail() -> None:
        raise ImportError("azure")

    provider = TableProvider(fail, ClaimNames(), tokens=tokens)  # type: ignore[arg-type] # (never gives a client)
    for _ in range(2):
        with pytest.raises(ImportError):
            await provider.provide(EVENT, some_context())
    await provider.aclose()


async def test_client_that_could_not_be_built_once(api: Api) -> None:
    """What failed once, for example for lack of memory, is tried again for the next request."""
    api.answer = respond(ENTITY)
    errors = [MemoryError()]

    def open_client() -> TableClient:
        if errors:
            raise errors.pop()
        return client_with_connection_string(connection_string(api.url), "claims")

    async with aclosing(TableProvider(open_client, ClaimNames.parse("Level"))) as provider:
        with pytest.raises(MemoryError):
            await provider.provide(EVENT, some_context())
        assert await provider.provide(EVENT, some_context()) == {"Level": "gold"}


async def test_given_up_request_leaves_the_client_to_others(api: Api) -> None:
    """A request canceled while the library is imported does not stop the import."""
    api.answer = respond(ENTITY)
    async with aclosing(create(_settings(api))) as provider:
        request = asyncio.create_task(provider.provide(EVENT, some_context()))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        assert (await provider.provide(EVENT, some_context()))["Level"] == "gold"


async def test_from_settings_with_a_url() -> None:
    """A URL is read with a token."""
    environ = {"Claims__Table__Name": "claims", "Claims__Table__Url": "https://account.table.core.windows.net"}
    async with aclosing(create(environ)) as provider:
        assert provider._tokens is not None
        client = await provider._open()
        assert (client.account_name, client.table_name) == ("account", "claims")


GOOD = {"Claims__Table__Name": "claims"}


@pytest.mark.parametrize(
    ("environ", "problems"),
    [
        ({}, ["Claims__Table__Name is required", "Claims__Table__Url is required"]),
        ({"Claims__Table__Name": "a-b", "Claims__Table__Url": "https://a.example"}, ["Claims__Table__Name must be 3"]),
        ({**GOOD, "Claims__Table__Url": "http://127.0.0.1:1"}, ["Claims__Table__Url must be https"]),
        ({**GOOD, "Claims__Table__ConnectionString": "x"}, ["must have AccountName", "must have a TableEndpoint"]),
        ({**GOOD, "Claims__Table__ConnectionString": f"AccountKey={KEY}"}, ["AccountName and", "a TableEndpoint or"]),
        (
            {
                **GOOD,
                "Claims__Table__ConnectionString": f"AccountName=a;AccountKey={KEY};DefaultEndpointsProtocol=http",
                "Claims__Table__Url": "https://a.example",
            },
            ["DefaultEndpointsProtocol=https", "Claims__Table__Url and"],
        ),
        (
            {**GOOD, "Claims__Table__ConnectionString": f"TableEndpoint=http://a.example;SharedAccessSignature={KEY}"},
            ["Claims__Table__ConnectionString must be https"],
        ),
    ],
)
def test_settings_are_told_wrong_at_once(environ: dict[str, str], problems: list[str]) -> None:
    """Every setting at fault is named, and no key is shown."""
    with pytest.raises(SettingsError) as failed:
        create(environ)
    assert len(failed.value.problems) == len(problems)
    for problem, part in zip(failed.value.problems, problems, strict=True):
        assert part in problem
    assert KEY not in str(failed.value)


@pytest.mark.parametrize(
    "connection",
    [
        f"AccountName=a;AccountKey={KEY};EndpointSuffix=core.windows.net",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY}",
        "TableEndpoint=https://a.example/;SharedAccessSignature=sv=1&sig=x",
    ],
)
async def test_connection_strings_that_the_library_takes(connection: str) -> None:
    """What passes our check also builds a client."""
    async with aclosing(create({**GOOD, "Claims__Table__ConnectionString": connection})) as provider:
        assert (await provider._open()).table_name == "claims"

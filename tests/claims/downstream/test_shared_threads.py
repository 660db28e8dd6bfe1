"""Sign-ins that block in the loop's default executor delay no token: nothing here runs in it, not even a DNS lookup."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from claims.downstream.credentials import token_source
from claims.downstream.issued_token import TokenFetchError
from claims.providers.table import create
from tests.claims.downstream.issuer import CLIENT_SECRET, IDENTITY_HEADER, SCOPE, Issuer, running_issuer
from tests.claims.providers.azurite import connection_string
from tests.claims.providers.desk import EVENT, Api, respond, serving, some_context

#: What waits for the default executor waits for the end of the test, so this is how long a failure takes.
PATIENCE_S = 20.0


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[Issuer]:
    """Serve tokens on loopback."""
    async with running_issuer(tmp_path) as running:
        yield running


@pytest.fixture
async def busy_executor(issuer: Issuer) -> AsyncIterator[None]:
    """Block every thread of the default executor, after the servers of the test have started."""
    del issuer
    release = threading.Event()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=2) as executor:
        loop.set_default_executor(executor)
        blocked = [loop.run_in_executor(None, release.wait) for _ in range(4)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await asyncio.to_thread(int)
        yield
        release.set()
        await asyncio.gather(*blocked)


@pytest.mark.usefixtures("busy_executor")
async def test_token_over_tls(issuer: Issuer) -> None:
    """azure-identity is imported, the credential created, the connection encrypted, without a shared thread."""
    environ = {**issuer.environ, "AZURE_CLIENT_SECRET": CLIENT_SECRET}
    async with asyncio.timeout(PATIENCE_S):
        assert (await token_source("client-secret", environ, client_options=issuer.client_options)(SCOPE)).token


@pytest.mark.usefixtures("busy_executor")
async def test_token_from_a_host_with_a_name(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity endpoint of App Service can have a name, which is resolved without a shared thread."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", issuer.http_url.replace("127.0.0.1", "localhost") + "/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    async with asyncio.timeout(PATIENCE_S):
        assert (await token_source("managed-identity", os.environ)(SCOPE)).token


@pytest.mark.usefixtures("busy_executor")
async def test_host_that_does_not_exist() -> None:
    """A name that cannot be resolved is a failed fetch."""
    environ = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    source = token_source("client-secret", {**environ, "AZURE_AUTHORITY_HOST": "https://a..b.invalid"})
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(TokenFetchError, match="client-secret: "):
            await source(SCOPE)


@pytest.mark.usefixtures("busy_executor")
async def test_table_client() -> None:
    """The table's client is imported and created, its host resolved, without a shared thread."""
    api = Api()
    api.answer = respond({"Level": "gold"})
    async with serving(api), asyncio.timeout(PATIENCE_S):
        url = api.url.replace("127.0.0.1", "localhost")
        provider = create({"Claims__Table__Name": "claims", "Claims__Table__ConnectionString": connection_string(url)})
        provider.start()
        assert await provider.provide(EVENT, some_context()) == {"Level": "gold"}
        await provider.aclose()

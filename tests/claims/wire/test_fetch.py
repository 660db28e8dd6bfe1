"""The bounded GET, against a real server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from claims.wire.fetch import FetchError, HttpGet


async def _answer(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/good":
            assert request.headers["accept-encoding"] == "identity"
            return web.Response(body=b"{}")
        case "/moved":
            raise web.HTTPFound("/good")
        case "/large":
            return web.Response(body=b"x" * 2000)
        case "/endless":
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 100)
                await asyncio.sleep(0)
        case "/hangs":
            await asyncio.sleep(30)
        case "/breaks":
            assert request.transport is not None
            request.transport.abort()
    return web.Response(status=503)


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    """Serve good and bad documents."""
    app = web.Application()
    app.router.add_get("/{name}", _answer)
    async with TestServer(app, host="127.0.0.1") as running:
        yield running


@pytest.fixture
async def get() -> AsyncIterator[HttpGet]:
    """Give a client with a small cap."""
    client = HttpGet(max_bytes=1000)
    yield client
    await client.aclose()
    await client.aclose()


async def test_fetches_documents(server: BaseTestServer, get: HttpGet) -> None:
    """A document is its body; the first two may be asked for at once."""
    url = str(server.make_url("/good"))
    assert set(await asyncio.gather(get(url), get(url))) == {b"{}"}
    assert await get(url) == b"{}"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/moved", "status 302"),
        ("/other", "status 503"),
        ("/large", "more than 1000 bytes"),
        ("/endless", "more than 1000 bytes"),
        ("/breaks", "RemoteProtocolError"),
    ],
)
async def test_refuses(path: str, why: str, server: BaseTestServer, get: HttpGet) -> None:
    """A redirect, another status, too much, or a broken connection: no document."""
    with pytest.raises(FetchError, match=why):
        await get(str(server.make_url(path)))


async def test_time_is_the_callers_to_bound(server: BaseTestServer, get: HttpGet) -> None:
    """A host that hangs is left when the caller says so, and the client works on."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await get(str(server.make_url("/hangs")))
    assert await get(str(server.make_url("/good"))) == b"{}"


async def test_nobody_listens(get: HttpGet) -> None:
    """A refused connection is a failed fetch."""
    with pytest.raises(FetchError, match="ConnectError"):
        await get("http://127.0.0.1:9/")

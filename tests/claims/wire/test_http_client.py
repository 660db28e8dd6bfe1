"""The client of what providers call; `tests.claims.providers.test_downstream` has the rest."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp.connector
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from claims.wire.fetch import AnswerTooLarge, FetchError
from claims.wire.http_client import HttpClient
from tests.claims.site import all_threads_busy

HEADERS: list[dict[str, str]] = []


async def _answer(request: web.Request) -> web.StreamResponse:
    HEADERS.append({name.lower(): value for name, value in request.headers.items()})
    match request.path:
        case "/good":
            return web.Response(body=request.path_qs.encode(), headers={"set-cookie": "a=b"})
        case "/moved":
            raise web.HTTPFound("/good")
        case "/large":
            return web.Response(body=b"x" * 2000)
        case "/hangs":
            await asyncio.sleep(30)
    return web.Response(status=503)


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    """Serve answers on loopback."""
    HEADERS.clear()
    app = web.Application()
    app.router.add_get("/{name}", _answer)
    async with TestServer(app, host="127.0.0.1") as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    """Return a client with a small limit."""
    made = HttpClient(1000)
    yield made
    await made.aclose()


async def test_sends_what_the_caller_wrote(server: BaseTestServer, client: HttpClient) -> None:
    """The URL's escapes stay as they are, and no header names the library that sends, or a version."""
    answer = await client.get(f"http://127.0.0.1:{server.port}/good?$select=a%2Cb%27", [("x-more", "1")])
    assert (answer.status, answer.body) == (200, b"/good?$select=a%2Cb%27")
    assert HEADERS[0].keys() == {"host", "accept", "accept-encoding", "user-agent", "x-more"}
    assert HEADERS[0]["user-agent"] == "custom-claims-endpoint"


async def test_keeps_no_cookie_and_follows_no_redirect(server: BaseTestServer, client: HttpClient) -> None:
    """An answer is the requested host's, and says nothing about the next call."""
    await client.get(str(server.make_url("/good")))
    assert (await client.get(str(server.make_url("/moved")))).status == 302
    assert "cookie" not in HEADERS[1]


async def test_uses_no_proxy(server: BaseTestServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment would get the token."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await client.get(str(server.make_url("/good")))).status == 200


async def test_bounds_the_body(server: BaseTestServer, client: HttpClient) -> None:
    """More than the limit is no answer, and the connection is not used again."""
    with pytest.raises(AnswerTooLarge, match="more than 1000 bytes"):
        await client.get(str(server.make_url("/large")))
    assert (await client.get(str(server.make_url("/good")))).body == b"/good"


async def test_needs_no_shared_thread(server: BaseTestServer, client: HttpClient) -> None:
    """The host's name does not wait for the default executor."""
    async with all_threads_busy(), asyncio.timeout(20):
        assert (await client.get(f"http://localhost:{server.port}/good")).status == 200


async def test_tries_the_next_address(
    server: BaseTestServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that refuses costs an attempt and not the call."""
    real = socket.getaddrinfo

    def getaddrinfo(_host: str, port: int, *args: int, **options: int) -> list[object]:
        return [found for address in ("127.0.0.2", "127.0.0.1") for found in real(address, port, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert (await client.get(f"http://api.example:{server.port}/good")).status == 200


@pytest.mark.parametrize("host", ["api.example", f"{'a' * 64}.example", ""])
async def test_unknown_host(host: str, client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without an address, or that cannot be a name, is a failed call."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: [])
    with pytest.raises(FetchError):
        await client.get(f"http://{host}:9/")


async def test_the_certificate_is_checked(client: HttpClient) -> None:
    """No option of the session turns off what aiohttp does by default."""
    connector = client._session.connector
    assert isinstance(connector, aiohttp.TCPConnector)
    assert connector._ssl is True
    assert aiohttp.connector._SSL_CONTEXT_VERIFIED.check_hostname

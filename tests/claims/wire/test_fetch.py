"""The bounded GET, against a real server."""

import asyncio
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from claims.wire import fetch, own_thread
from claims.wire.fetch import FetchError, HttpGet
from tests.claims.site import all_threads_busy

_BROKEN = {
    "/breaks": b"",
    "/cut": b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
    "/nonsense": b"nonsense\r\n\r\n",
}


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
        case path if path in _BROKEN:
            assert isinstance(request.transport, asyncio.Transport)
            request.transport.write(_BROKEN[path])
            request.transport.close()
    return web.Response(status=503)


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    """Serve good and bad documents."""
    app = web.Application()
    app.router.add_get("/{name}", _answer)
    async with TestServer(app, host="127.0.0.1") as running:
        yield running


@pytest.fixture
def get() -> HttpGet:
    """Return a client with a small limit."""
    return HttpGet(max_bytes=1000)


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
        ("/breaks", "RemoteDisconnected"),
        ("/cut", "IncompleteRead"),
        ("/nonsense", "BadStatusLine"),
    ],
)
async def test_refuses(path: str, why: str, server: BaseTestServer, get: HttpGet) -> None:
    """A redirect, another status, too much, or a broken connection: no document."""
    with pytest.raises(FetchError, match=why):
        await get(str(server.make_url(path)))


async def test_the_caller_limits_the_time(server: BaseTestServer, get: HttpGet) -> None:
    """A host that hangs is given up when the caller's time is over, and the client stays usable."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await get(str(server.make_url("/hangs")))
    assert await get(str(server.make_url("/good"))) == b"{}"


async def test_refused_connection(get: HttpGet) -> None:
    """A refused connection is a failed fetch."""
    with pytest.raises(FetchError, match="ConnectionRefusedError"):
        await get("http://127.0.0.1:9/")


async def test_needs_no_shared_thread(server: BaseTestServer, get: HttpGet) -> None:
    """Neither the certificates nor the host's name wait for the default executor."""
    async with all_threads_busy(), asyncio.timeout(20):
        assert await get(f"http://localhost:{server.port}/good") == b"{}"


@contextmanager
def _resolved(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> Iterator[list[str]]:
    """Let every name have these addresses; the yielded list holds the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: int, **options: int) -> list[object]:
        asked.append(host)
        return [found for address in addresses for found in real(address, port, *args, **options)]

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", getaddrinfo)
        yield asked


async def test_tries_the_next_address(server: BaseTestServer, get: HttpGet, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that refuses, and one that does not answer at all, cost an attempt and not the document."""
    monkeypatch.setattr(fetch, "ATTEMPT_S", 0.02)
    with _resolved(monkeypatch, "127.0.0.2", "127.0.0.3", "127.0.0.1") as asked, socket.socket() as full:
        # A queue for one connection that nobody accepts, and that is taken.
        full.bind(("127.0.0.2", server.port or 0))
        full.listen(0)
        with socket.create_connection(("127.0.0.2", server.port or 0)):
            assert await get(f"http://authority.example:{server.port}/good") == b"{}"
    assert asked.count("authority.example") == 1


async def test_address_families_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one family has no route, the second attempt has another one."""
    with _resolved(monkeypatch, "::1", "::2", "::3", "127.0.0.1"):
        assert own_thread._resolve("authority.example", 80) == ["::1", "127.0.0.1", "::2", "::3"]


@pytest.mark.parametrize("error", [socket.gaierror("no such name"), UnicodeError("label too long")], ids=repr)
async def test_unknown_host(error: Exception, get: HttpGet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without an address, or that cannot be a name, is a failed fetch that says so."""
    monkeypatch.setattr(socket, "getaddrinfo", Mock(side_effect=error))
    with pytest.raises(FetchError, match="HostNotResolved"):
        await get("http://authority.example/")


async def test_a_name_server_that_hangs_costs_one_thread(
    server: BaseTestServer, get: HttpGet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers that give up leave the lookup to the next ones."""
    answers = threading.Event()
    real, asked = socket.getaddrinfo, 0

    def slow(host: str, port: int, *args: int, **options: int) -> object:
        nonlocal asked
        if host != "authority.example":  # the address that was found
            return real(host, port, *args, **options)
        asked += 1
        assert answers.wait(30)
        return real("127.0.0.1", port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    url = f"http://authority.example:{server.port}/good"
    for _ in range(5):
        waiting = asyncio.create_task(get(url))
        while not asked:  # noqa: ASYNC110 (a thread sets no event of the loop)
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    waiting = asyncio.create_task(get(url))
    await asyncio.sleep(0.001)
    answers.set()
    assert (await waiting, asked) == (b"{}", 1)


async def test_a_step_may_not_stall(server: BaseTestServer, get: HttpGet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller without a limit of its own is told when a server says nothing."""
    monkeypatch.setattr(fetch, "_STALL_S", 0.05)
    with pytest.raises(FetchError, match="TimeoutError"):
        await get(str(server.make_url("/hangs")))


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/hangs", "http://127.0.0.1:{}/dawdles", "https://127.0.0.1:{}/"])
async def test_a_host_that_hangs_keeps_no_thread(url: str, get: HttpGet) -> None:
    """The thread ends when the caller gives up, also where a byte comes now and then, or no TLS."""
    dawdles = "dawdles" in url

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" if dawdles else b"")
        while await asyncio.sleep(0.01, dawdles) and not writer.is_closing():
            writer.write(b"a: b\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    before = threading.active_count()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await get(url.format(server.sockets[0].getsockname()[1]))
    end_s = time.monotonic() + 20
    while threading.active_count() > before:
        assert time.monotonic() < end_s
        await asyncio.sleep(0.005)
    server.close()


async def test_given_up_while_it_connects(server: BaseTestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is made after the caller gave up is closed, and nothing is sent."""
    sent = Mock()
    monkeypatch.setattr(fetch, "HTTPConnection", sent)
    connection = fetch._Connection(["127.0.0.1"], "127.0.0.1", server.port or 0)
    connection.give_up()
    with pytest.raises(ConnectionAbortedError):
        await asyncio.to_thread(connection.open, None)
    sent.assert_not_called()


def test_imports_no_client_of_the_providers() -> None:
    """Loading the endpoint does not import aiohttp, on which a cold start would wait."""
    loaded = "import sys, claims.endpoint; sys.exit('aiohttp' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", loaded], cwd=root, check=False)  # noqa: S603 (this Python)
    assert done.returncode == 0


async def test_the_certificate_is_of_the_name_and_not_of_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """TLS holds the server against the URL's host, whatever address that resolves to."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("authority.example").configure_cert(served)
    app = web.Application()
    app.router.add_get("/{name}", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=served).start()
    port = runner.addresses[0][1]
    client = HttpGet()
    with _resolved(monkeypatch, "127.0.0.1"):
        assert await client(f"https://authority.example:{port}/good") == b"{}"
        with pytest.raises(FetchError, match="SSLCertVerificationError"):
            await client(f"https://another.example:{port}/good")
    await runner.cleanup()


async def test_unusable_certificates(server: BaseTestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates of the system that cannot be read are a failed fetch, and the next one tries again."""
    client = HttpGet()
    url = f"https://127.0.0.1:{server.port}/"
    with monkeypatch.context() as broken:
        broken.setattr(ssl, "create_default_context", Mock(side_effect=ssl.SSLError("unreadable")))
        with pytest.raises(FetchError, match="SSLError"):
            await client(url)
    with pytest.raises(FetchError, match="SSLError"):  # of a server without TLS
        await client(url)


async def test_proxies_of_the_environment_are_not_used(
    server: BaseTestServer, get: HttpGet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would see which keys are trusted, and could change them where the authority is plain."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert await get(str(server.make_url("/good"))) == b"{}"


async def test_one_client_serves_loop_after_loop(server: BaseTestServer, get: HttpGet) -> None:
    """A host may run each request in a new loop."""
    for _ in range(3):
        url = str(server.make_url("/good"))
        assert await asyncio.to_thread(asyncio.run, get(url)) == b"{}"

"""The HTTP edge, in front of Microsoft's worker library in a real process."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from selftest.host.http_edge import BODY_LIMIT_SETTING, max_body_bytes
from selftest.host.process import AppProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

APPS = Path(__file__).parent / "apps"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app() -> AsyncIterator[AppProcess]:
    """Serve the echo app."""
    async with AppProcess({}, app_dir=APPS / "echo") as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(app: AppProcess) -> AsyncIterator[aiohttp.ClientSession]:
    """Call it."""
    async with aiohttp.ClientSession(base_url=app.url, timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


async def raw(app: AppProcess, head: bytes, *, whole: bool = True) -> bytes:
    """Send these bytes on a connection of their own and return the answer: head and body, or all that comes."""
    host, port = app.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"%b\r\nHost: x\r\nConnection: close\r\n\r\n" % head)
        async with asyncio.timeout(20):
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"Content-Length: (\d+)", answer) if whole else None
            return answer + (await reader.readexactly(int(length[1])) if length else await reader.read())
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def seen(client: aiohttp.ClientSession, path: str = "/api/items/box", **options: Any) -> dict[str, Any]:
    """Return what the function saw of a request."""
    async with client.post(path, **options) as response:
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer


async def get(client: aiohttp.ClientSession, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Return the status and the body of an answer."""
    async with client.request(method, path) as response:
        return response.status, await response.read()


async def test_answers_with_status_body_and_type(client: aiohttp.ClientSession) -> None:
    """A response reaches the client with its type, and says no more of the server than the real host does."""
    async with client.get("/api/plain") as response:
        assert (response.status, await response.text()) == (200, "ok")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["server"] == "Kestrel"


@pytest.mark.parametrize("path", ["/api/plain", "/API/PLAIN", "/api/plain/", "/api/plain?x=1"])
async def test_routes_ignore_case_and_a_last_slash(client: aiohttp.ClientSession, path: str) -> None:
    """An address matches as ASP.NET matches it."""
    assert await get(client, path) == (200, b"ok")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/plain"),
        ("HEAD", "/api/plain"),
        ("OPTIONS", "/api/plain"),
        ("GET", "/api/items/box"),
        ("GET", "/plain"),
        ("GET", "/api/nothing"),
        ("POST", "/api/items/box/notanumber"),
    ],
)
async def test_wrong_verb_and_unknown_path_are_empty_404(client: aiohttp.ClientSession, method: str, path: str) -> None:
    """A method is part of the route: a wrong one is not found, never 405."""
    assert await get(client, path, method) == (404, b"")


@pytest.mark.parametrize("path", ["/api/raises", "/api/dict", "/api/badheader"])
async def test_failure_of_a_function_is_an_empty_500(client: aiohttp.ClientSession, path: str) -> None:
    """An exception, a wrong type and a header that HTTP cannot carry tell the client nothing."""
    assert await get(client, path) == (500, b"")


async def test_failure_of_a_function_is_in_the_log(app: AppProcess, client: aiohttp.ClientSession) -> None:
    """The developer reads what the client does not, on one line."""
    await get(client, "/api/raises")
    line = await app.wait_for_line(lambda line: "LookupError: secret detail" in line)
    assert "function raises failed" in line
    assert "function_app.py" in line


async def test_text_answer_is_plain_text(client: aiohttp.ClientSession) -> None:
    """A function may return a str."""
    async with client.get("/api/text") as response:
        assert (response.status, await response.text()) == (200, "naïve")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"


async def test_header_names_are_lower_case_and_repeats_joined(app: AppProcess) -> None:
    """A function sees each header once."""
    head = b"POST /api/items/box HTTP/1.1\r\nX-One: a\r\nx-ONE: b\r\nX-Empty:"
    answer = (await raw(app, head)).partition(b"\r\n\r\n")[2]
    names = dict(json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])["headers"])
    assert names["x-one"] == "a,b"
    assert names["x-empty"] == ""
    assert all(name == name.lower() for name in names)


async def test_repeated_authorization_arrives_joined(client: aiohttp.ClientSession) -> None:
    """Two tokens in two headers look like one header with a comma."""
    headers = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
    assert dict((await seen(client, headers=headers))["headers"])["authorization"] == "Bearer a,Bearer b"


async def test_token_longer_than_the_endpoint_takes_arrives(client: aiohttp.ClientSession) -> None:
    """The endpoint, not the host, refuses a token of more than 16 KiB."""
    value = "Bearer " + "x" * 32_000
    assert dict((await seen(client, headers={"Authorization": value}))["headers"])["authorization"] == value


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /api/plain HTTP/1.1\r\nX-Long: " + b"x" * 32_768, b"431 Request Header Fields Too Large"),
        (b"GET /api/plain HTTP/1.1" + b"\r\nX-Many: x" * 99, b"431 Request Header Fields Too Large"),
        (b"GET /api/plain?" + b"x" * 8_192 + b" HTTP/1.1", b"414 URI Too Long"),
        (b"GET /api/plain HTTP/1.1\r\nX-Name: \xff", b"400 Bad Request"),
        (b"GET /api/plain HTTP/1.1\r\nno colon", b"400 Bad Request"),
        (b"GET /api/pl\xc3\xa4in HTTP/1.1", b"400 Bad Request"),
    ],
)
async def test_head_that_kestrel_refuses(app: AppProcess, head: bytes, status: bytes) -> None:
    """Limits are those of all headers together and of their number; the response is empty."""
    answer = await raw(app, head)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"\r\nServer: Kestrel\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_client_that_asks_before_it_sends_is_answered(app: AppProcess) -> None:
    """Expect: 100-continue gets its interim response, and then the function's."""
    host, port = app.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /api/items/box HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n"
    )
    async with asyncio.timeout(20):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 \r\n\r\n"
        writer.write(b"ab")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()


async def test_requests_that_come_at_once_are_answered_in_order(app: AppProcess) -> None:
    """A connection carries one response after the other."""
    host, port = app.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /api/plain HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    async with asyncio.timeout(20):
        answer = await reader.read()
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404"]
    writer.close()


async def test_query_repeats_are_joined_and_empty_values_dropped(client: aiohttp.ClientSession) -> None:
    """A function sees each query name once, and only with a value."""
    assert (await seen(client, "/api/items/box?a=1&A=2&b=&c=%20x"))["query"] == {"A": "1,2", "c": " x"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/api/items/Box", {"kind": "Box"}), ("/api/items/a%20b/-7", {"kind": "a b", "number": "-7"})],
)
async def test_route_parameters(client: aiohttp.ClientSession, path: str, expected: dict[str, str]) -> None:
    """Parameters keep their case, and an absent optional one is not there."""
    assert (await seen(client, path))["route"] == expected


async def test_body_with_a_length_arrives_unchanged(client: aiohttp.ClientSession) -> None:
    """A body is bytes; an encoded one is not decoded."""
    raw = bytes(range(256))
    answer = await seen(client, data=raw, headers={"Content-Encoding": "gzip"})
    assert answer["body"].encode("latin-1") == raw


async def test_chunked_body_arrives_empty(client: aiohttp.ClientSession) -> None:
    """Without Content-Length the host reads nothing."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"lost": true}'

    assert (await seen(client, data=chunks()))["body"] == ""


async def test_announced_body_over_100_mb_is_refused(app: AppProcess) -> None:
    """Without the setting the host's cap is Microsoft's; it answers before the body is sent, and with nothing."""
    answer = await raw(app, b"POST /api/items/box HTTP/1.1\r\nContent-Length: 104857601")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"Content-Length: 0\r\n" in answer


async def test_cap_is_the_app_setting_s() -> None:
    """The setting moves the cap to the byte, for what is announced; a path that is not there is still 404."""
    async with AppProcess({BODY_LIMIT_SETTING: "10"}, app_dir=APPS / "echo") as app:
        head = b"POST /api/items/box HTTP/1.1\r\nContent-Length: "
        assert (await raw(app, head + b"11")).startswith(b"HTTP/1.1 500 ")
        assert (await raw(app, head.replace(b"box", b"") + b"11")).startswith(b"HTTP/1.1 404 ")
        async with aiohttp.ClientSession(base_url=app.url) as client:
            assert (await seen(client, data=b"x" * 10))["body"] == "x" * 10
            async with client.post("/api/items/box", data=b"x" * 200_000) as response:
                assert (response.status, await response.read()) == (500, b"")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("65536", 65_536),
        (" 1 ", 1),
        ("", 104_857_600),
        ("64k", 104_857_600),
        ("-1", 104_857_600),
        ("9" * 40, 104_857_600),
    ],
)
async def test_cap_that_is_no_number_is_the_default(text: str, limit: int) -> None:
    """Microsoft's host ignores what it cannot read."""
    assert max_body_bytes({BODY_LIMIT_SETTING: text}) == limit
    assert max_body_bytes({}) == 104_857_600


async def test_request_that_is_not_http_is_not_quoted_in_the_log(app: AppProcess) -> None:
    """A header that the parser refuses may hold a token."""
    answer = await raw(app, b"GET /api/plain HTTP/1.1\r\nAuthorization: Bearer " + b"secret" * 12_000)
    assert answer.startswith(b"HTTP/1.1 431 ")
    await raw(app, b"GET /api/log HTTP/1.1")
    await app.wait_for_line(lambda line: line == "printed")
    assert not any("secretsecret" in line for line in app.logs)


async def test_trace_context_is_passed_on(client: aiohttp.ClientSession) -> None:
    """The W3C headers become the function's trace context."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await seen(client, headers={"traceparent": parent, "tracestate": "a=b"})
    assert (answer["traceparent"], answer["tracestate"]) == (parent, "a=b")


async def test_every_call_has_its_own_invocation_on_the_platforms_loop(client: aiohttp.ClientSession) -> None:
    """Invocation ids differ, and the loop is the one that Azure's worker uses."""
    first, second = await seen(client), await seen(client)
    assert first["invocation"] != second["invocation"]
    assert first["invocation"] == first["invocation_of_logs"]
    assert (first["function"], first["loop"]) == ("echo", "uvloop")


async def test_framing_is_the_functions_and_cookies_are_set(app: AppProcess, client: aiohttp.ClientSession) -> None:
    """A length that is too long cuts the answer, as on Microsoft's host; each cookie is a header of its own."""
    assert b"\r\nContent-Length: 999\r\n" in await raw(app, b"GET /api/headers?long=1 HTTP/1.1", whole=False)
    async with client.get("/api/headers") as response:
        assert await response.text() == "body"
        assert response.headers.getall("Transfer-Encoding") == ["chunked"]
        assert response.headers["X-Given"] == "1"
        first, second = response.headers.getall("Set-Cookie")
    assert first == "a=1; max-age=60; path=/x; samesite=strict; httponly"
    assert second.startswith("b=2; expires=Wed, 21 Oct 2026 ")
    assert second.endswith(" GMT; path=/; secure")


async def test_function_that_lets_cancellation_out_never_answers(
    app: AppProcess, client: aiohttp.ClientSession
) -> None:
    """That request hangs until the client leaves, the next ones are answered, and the log says why."""
    with pytest.raises(TimeoutError):
        await client.get("/api/escape", timeout=aiohttp.ClientTimeout(total=0.1))
    assert await get(client, "/api/plain") == (200, b"ok")
    await app.wait_for_line(lambda line: "escape let CancelledError out" in line)


async def test_two_requests_run_on_one_loop_at_the_same_time(client: aiohttp.ClientSession) -> None:
    """The first is answered only because the second comes while it waits."""
    first = asyncio.create_task(get(client, "/api/meet?first=1"))
    second = asyncio.create_task(get(client, "/api/meet"))
    assert await first == await second == (200, b"met")


async def test_client_that_leaves_does_not_cancel_the_function(app: AppProcess, client: aiohttp.ClientSession) -> None:
    """The handler goes on after the connection is gone."""
    request = asyncio.create_task(get(client, "/api/abandoned"))
    await app.wait_for_line(lambda line: line == "abandoned started")
    request.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await request
    for _ in range(5):
        await get(client, "/api/plain")
    assert "abandoned went on" not in app.logs
    await get(client, "/api/meet")
    await app.wait_for_line(lambda line: line == "abandoned went on")


async def test_synchronous_function_runs_in_the_thread_pool(client: aiohttp.ClientSession) -> None:
    """A def handler is answered too."""
    assert await get(client, "/api/sync") == (200, b"from a thread")


@pytest.mark.parametrize("path", ["/api/keyed", "/api/keyed?code=any"])
async def test_function_with_a_key_answers_401(client: aiohttp.ClientSession, path: str) -> None:
    """Keys are not imitated, so nobody has the right one."""
    assert await get(client, path) == (401, b"")


async def test_log_has_one_line_a_message(app: AppProcess, client: aiohttp.ClientSession) -> None:
    """The app's messages come as they are, a library's chatter not at all, and prints are log."""
    await get(client, "/api/log")
    await app.wait_for_line(lambda line: line == "printed")
    at = app.logs.index('{"one": "line"}')
    assert app.logs[at : at + 3] == ['{"one": "line"}', r"two\nlines", "printed"]


async def test_lines_that_azure_drops_are_marked(app: AppProcess, client: aiohttp.ClientSession) -> None:
    """Of a background task, once the request is answered, and at import; not those of a request."""
    await get(client, "/api/later")
    await app.wait_for_line(lambda line: line == "[not in Azure's log] logged after the answer")
    assert "logged in the request" in app.logs
    assert "[not in Azure's log] logged at import" in app.logs

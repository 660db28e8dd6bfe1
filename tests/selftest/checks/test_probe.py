"""The probe: it changes nothing, every failure is a response, and texts are redacted."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from selftest.checks.bench.probe import RawRequest, RawResponse, redact, send
from selftest.play.caller import MAX_BODY_BYTES, caller_session

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJtZSJ9.c2lnbmF0dXJl"


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """Serve raw bytes on a free port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def probe(url: str, *, timeout_ms: int = 2000) -> RawResponse:
    """Send a POST with two headers of one name."""
    async with caller_session() as session:
        request = RawRequest(url=url, headers=(("X-A", "1"), ("X-A", "2")), body=b"{}")
        return await send(session, request, timeout_ms=timeout_ms)


async def test_the_request_goes_out_as_written() -> None:
    """Repeated headers stay apart, and the client adds none of its own."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"{}"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listening(serve) as url:
        assert (await probe(url)).status == 200
    lines = seen[0].decode().split("\r\n")
    assert [line for line in lines if line.startswith("X-A")] == ["X-A: 1", "X-A: 2"]
    names = {line.partition(":")[0].lower() for line in lines[1:] if ":" in line}
    assert names <= {"host", "x-a", "content-length", "connection"}


@pytest.mark.parametrize(
    ("sent", "failure"),
    [
        (b"", "connection"),
        (b"nonsense\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "protocol"),
    ],
)
async def test_what_is_no_reply_is_an_answer_with_its_failure(sent: bytes, failure: str) -> None:
    """A closed connection and an incomplete response have different failures."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(sent)

    async with listening(serve) as url:
        answer = await probe(url)
    assert (answer.status, answer.failure) == (None, failure)


async def test_no_answer_in_time_is_a_timeout() -> None:
    """The probe does not wait longer than its timeout."""

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(serve) as url:
        answer = await probe(url, timeout_ms=20)
    assert (answer.failure, str(answer)) == ("timeout", "no response (timeout)")


async def test_a_long_reply_is_cut() -> None:
    """An endpoint cannot exhaust the harness's memory."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY_BYTES + 100_000))
        await writer.drain()

    async with listening(serve) as url:
        answer = await probe(url)
    assert len(answer.body) == MAX_BODY_BYTES + 1


async def test_a_redirect_is_not_followed_and_gzip_not_unpacked() -> None:
    """The probe returns a redirect and a compressed body unchanged."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 307 T\r\nLocation: /x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b")
        await writer.drain()

    async with listening(serve) as url:
        answer = await probe(url)
    assert (answer.status, answer.body, answer.header("location")) == (307, b"\x1f\x8b", "/x")


def test_the_excerpt_of_a_response_is_short_and_names_nobody() -> None:
    """Who answered and how the body begins; a token at the cut is as unreadable as one before it."""
    request = RawRequest(url="http://h/")
    body = b"a\r\n" + b"b" * 190 + b" " + TOKEN.encode() + b" end"
    refused = RawResponse(request=request, status=401, headers=(("server", "Microsoft-IIS/10.0"),), body=body)
    assert refused.excerpt == f"Server: Microsoft-IIS/10.0; body: a {'b' * 190} $TOKEN "
    assert RawResponse(request=request, status=404).excerpt == "Server: absent; body: empty"


def test_a_reply_with_claims_has_no_excerpt() -> None:
    """Its body has what the endpoint says about a person; a health check has no such thing."""
    request = RawRequest(url="http://h/")
    assert RawResponse(request=request, status=200, body=b"{}").excerpt is None
    assert RawResponse(request=request, status=None, failure="timeout").excerpt is None
    health = replace(request, method="GET")
    assert RawResponse(request=health, status=200, body=b"ok").excerpt == "Server: absent; body: ok"


def test_redaction_takes_tokens_and_names() -> None:
    """A redacted text contains neither a token nor a user's name, and keeps the rest."""
    text = f'{{"displayName":"Ada","mail": "a@b.example","id":"7"}} {TOKEN} claims-production.azurewebsites.net/api'
    shown = redact(text)
    assert TOKEN not in shown
    assert "Ada" not in shown
    assert "a@b.example" not in shown
    assert '"id":"7"' in shown
    assert "claims-production.azurewebsites.net/api" in shown


@pytest.mark.parametrize("body", [b'{"a":"it\'s \xc3\xa9"}', b"\xff\x00'\n", b""])
def test_the_curl_line_sends_the_same_bytes(body: bytes) -> None:
    """A shell that runs the line gives curl exactly the body, whatever is in it."""
    line = RawRequest(url="http://127.0.0.1:1/", body=body).curl()
    script = line.replace("curl -i", "show", 1).replace("--data-binary", "DATA", 1)
    show = (
        'show() { while [ "$1" != DATA ]; do shift; done; case "$2" in @*) cat "${2#@}";; *) printf %s "$2";; esac; }'
    )
    done = subprocess.run(["bash", "-c", f"{show}\n{script}"], capture_output=True, check=True)  # noqa: S603, S607 - the line under test
    assert done.stdout == body


def test_the_curl_line_names_no_token_and_says_when_a_body_is_too_long() -> None:
    """The credential becomes a variable, a long body a file."""
    request = RawRequest(url="http://h/", headers=(("Authorization", f"Bearer {TOKEN}, Bearer x"),), body=b"x" * 3000)
    line = request.curl()
    assert TOKEN not in line
    assert '-H "Authorization: Bearer $TOKEN"' in line
    assert "@body.bin" in line
    assert "3000 bytes" in line


@pytest.mark.parametrize(
    ("value", "shown"),
    [(TOKEN, "$TOKEN"), ("ewogImFsZyI.e30.c2ln", "$TOKEN"), ("Bearer", "Bearer"), ("Basic abc", "Basic $TOKEN")],
)
def test_the_curl_line_names_no_token_without_a_scheme(value: str, shown: str) -> None:
    """A header without a scheme is all credential; a scheme without one is what a check sends."""
    assert f'-H "Authorization: {shown}"' in RawRequest(url="http://h/", headers=(("Authorization", value),)).curl()


def test_the_curl_line_names_no_token_in_another_header() -> None:
    """A token is one in every header."""
    assert TOKEN not in RawRequest(url="http://h/", headers=(("X-Token", TOKEN),)).curl()

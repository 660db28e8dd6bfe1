"""The caller where the connection breaks, or the answer is not what a client would like."""

import gzip
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from selftest.play.caller import MAX_BODY_BYTES, Call, Caller, caller_session
from tests.selftest.scripted_server import answer, raw, reset, scripted_server, silence

EVENT = {"type": "t", "data": {"name": "é", "list": [1, 2]}}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give the session that a caller needs."""
    async with caller_session() as session:
        yield session


async def _call(caller: Caller, url: str, **options: Any) -> Call:
    return await caller.call(url, token="header.claims.signature", event=EVENT, **options)


async def test_refused_connection(session: aiohttp.ClientSession) -> None:
    """Nobody listening is a connection failure, tried twice."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    call = await _call(Caller(session), url)
    assert [attempt.failure for attempt in call.attempts] == ["connection", "connection"]
    assert call.reply.status is None
    assert "127.0.0.1" in call.attempts[0].detail


async def test_reset_before_an_answer_is_retried(session: aiohttp.ClientSession) -> None:
    """A connection that breaks before an answer begins is a connection failure, and the retry may succeed."""
    async with scripted_server([reset(), answer()]) as server:
        call = await _call(Caller(session), server.url)
    assert [attempt.failure for attempt in call.attempts] == ["connection", None]


async def test_closed_before_an_answer_is_retried(session: aiohttp.ClientSession) -> None:
    """A connection that is closed in order but without an answer is no answer either."""
    async with scripted_server([raw(b""), answer()]) as server:
        call = await _call(Caller(session), server.url)
    assert [attempt.failure for attempt in call.attempts] == ["connection", None]


@pytest.mark.parametrize("end", [reset, raw], ids=["reset", "closed"])
async def test_break_inside_the_body_is_not_retried(session: aiohttp.ClientSession, end: Any) -> None:
    """An answer that breaks off is a protocol failure: the endpoint was reached and did its work."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    async with scripted_server([end(head), answer()]) as server:
        call = await _call(Caller(session), server.url)
    (attempt,) = call.attempts
    assert (attempt.failure, attempt.status) == ("protocol", 200)
    assert call.reply.failure == "protocol"


async def test_nonsense_is_a_protocol_failure(session: aiohttp.ClientSession) -> None:
    """What is no HTTP is no answer, and is not retried."""
    async with scripted_server([raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), answer()]) as server:
        call = await _call(Caller(session), server.url)
    (attempt,) = call.attempts
    assert (attempt.failure, attempt.status) == ("protocol", None)


async def test_redirect_is_not_followed(session: aiohttp.ClientSession) -> None:
    """A redirect is the answer: the token is not carried elsewhere."""
    async with scripted_server([answer("307 Temporary Redirect", b"", "Location: /elsewhere"), answer()]) as server:
        call = await _call(Caller(session), server.url)
    assert call.reply.status == 307
    assert len(server.requests) == 1


async def test_huge_body_is_capped(session: aiohttp.ClientSession) -> None:
    """Of a body over 1 MiB one byte more than that is kept, and the rest is not waited for."""
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b"x" * (3 * MAX_BODY_BYTES)
    async with scripted_server([silence(endless)]) as server:
        call = await _call(Caller(session), server.url)
    (attempt,) = call.attempts
    assert len(attempt.body) == MAX_BODY_BYTES + 1
    assert attempt.failure is None


async def test_body_of_exactly_the_cap_is_whole(session: aiohttp.ClientSession) -> None:
    """1 MiB itself is not too much."""
    async with scripted_server([answer(body=b"x" * MAX_BODY_BYTES)]) as server:
        call = await _call(Caller(session), server.url)
    assert len(call.reply.body) == MAX_BODY_BYTES


async def test_compressed_body_stays_compressed(session: aiohttp.ClientSession) -> None:
    """The judge sees the bytes that were sent."""
    packed = gzip.compress(b"{}")
    async with scripted_server([answer("200 OK", packed, "Content-Encoding: gzip")]) as server:
        call = await _call(Caller(session), server.url)
    assert call.reply.body == packed


async def test_cookies_are_not_kept(session: aiohttp.ClientSession) -> None:
    """A cookie of one answer is not sent with the next call."""
    async with scripted_server([answer("200 OK", b"{}", "Set-Cookie: a=b; Path=/")]) as server:
        caller = Caller(session)
        await _call(caller, server.url)
        await _call(caller, server.url)
    assert len(server.requests) == 2
    assert b"cookie" not in server.requests[1].lower()


async def test_large_headers_are_taken(session: aiohttp.ClientSession) -> None:
    """An answer with 60 KiB of one header is an answer."""
    async with scripted_server([answer("200 OK", b"{}", "X-Long: " + "x" * 60 * 1024)]) as server:
        call = await _call(Caller(session), server.url)
    assert call.reply.status == 200

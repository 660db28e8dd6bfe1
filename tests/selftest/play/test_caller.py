"""The caller against real sockets that behave, dawdle, break and lie."""

import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from selftest.play.caller import Call, Caller, caller_session
from tests.selftest.scripted_server import answer, scripted_server, silence

EVENT = {"type": "t", "data": {"name": "é", "list": [1, 2]}}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give the session that a caller needs."""
    async with caller_session() as session:
        yield session


def stepping(step_s: float) -> Callable[[], float]:
    """Give a clock that moves by this much whenever it is read."""
    ticks = itertools.count()
    return lambda: next(ticks) * step_s


async def _call(caller: Caller, url: str, **options: Any) -> Call:
    return await caller.call(url, token="header.claims.signature", event=EVENT, **options)


async def test_request_is_what_entra_is_documented_to_send(session: aiohttp.ClientSession) -> None:
    """POST with bearer token and content type, compact UTF-8 JSON, and no header that HTTP does not need."""
    async with scripted_server([answer()]) as server:
        await _call(Caller(session), f"{server.url}?code=a%2Fb")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    request_line, *headers = head.decode().split("\r\n")
    assert request_line == "POST /api/onTokenIssuanceStart?code=a%2Fb HTTP/1.1"
    assert sorted(header.partition(":")[0] for header in headers) == [
        "Authorization",
        "Content-Length",
        "Content-Type",
        "Host",
    ]
    assert "Authorization: Bearer header.claims.signature" in headers
    assert "Content-Type: application/json" in headers
    assert body == '{"type":"t","data":{"name":"é","list":[1,2]}}'.encode()


async def test_bytes_are_sent_as_they_are(session: aiohttp.ClientSession) -> None:
    """An event given as bytes is not rewritten, valid JSON or not."""
    async with scripted_server([answer()]) as server:
        await Caller(session).call(server.url, token="t", event=b"\xff{ not JSON")
    assert server.requests[0].endswith(b"\r\n\r\n\xff{ not JSON")


async def test_answer_is_kept_whole(session: aiohttp.ClientSession) -> None:
    """Status, headers and body of an answer come back, with times in order and no failure."""
    async with scripted_server([answer("200 OK", b'{"a":1}', "X-One: 1")]) as server:
        call = await _call(Caller(session), server.url)
    (attempt,) = call.attempts
    assert (attempt.status, attempt.body, attempt.failure, attempt.detail) == (200, b'{"a":1}', None, "")
    assert attempt.header("x-one") == "1"
    assert attempt.headers_s is not None
    assert attempt.due_s <= attempt.sent_s <= attempt.headers_s <= attempt.end_s
    assert attempt.latency_ms == pytest.approx((attempt.end_s - attempt.due_s) * 1000)
    assert call.reply.content_type == "application/json"
    assert (call.reply.status, call.reply.body, call.reply.failure) == (200, b'{"a":1}', None)


@pytest.mark.parametrize("status", ["401 Unauthorized", "429 Too Many", "500 Oops", "503 Unavailable"])
async def test_an_answer_is_never_retried(session: aiohttp.ClientSession, status: str) -> None:
    """A retry follows no answer, whatever its status."""
    async with scripted_server([answer(status), answer()]) as server:
        call = await _call(Caller(session), server.url)
    assert [attempt.status for attempt in call.attempts] == [int(status[:3])]


async def test_timeout_counts_from_the_due_moment(session: aiohttp.ClientSession) -> None:
    """A call that is sent 1.98 s late under a timeout of two seconds has 20 ms left; its latency holds all of it."""
    async with scripted_server([silence()]) as server:
        start_s = time.perf_counter()
        call = await _call(Caller(session), server.url, timeout_ms=2000, max_retries=0, due_s=start_s - 1.98)
        waited_s = time.perf_counter() - start_s
    (attempt,) = call.attempts
    assert attempt.failure == "timeout"
    assert "2000 ms" in attempt.detail
    assert 0.015 <= waited_s < 1.5
    assert attempt.latency_ms >= 1999
    assert call.reply.failure == "timeout"


async def test_a_call_overdue_from_the_start_is_a_timeout(session: aiohttp.ClientSession) -> None:
    """What is due longer ago than the timeout fails without waiting."""
    async with scripted_server([answer()]) as server:
        due_s = time.perf_counter() - 10
        call = await _call(Caller(session), server.url, max_retries=0, due_s=due_s)
    assert call.attempts[0].failure == "timeout"


async def test_silence_is_retried_once_and_never_twice(session: aiohttp.ClientSession) -> None:
    """Two timeouts end the call; the retry is due when the first attempt ended and carries the same bytes."""
    async with scripted_server([silence()]) as server:
        call = await _call(Caller(session, clock=stepping(1.5)), server.url, timeout_ms=2000)
    first, second = call.attempts
    assert [first.failure, second.failure] == ["timeout", "timeout"]
    assert second.due_s == first.end_s
    assert len(server.requests) == 2
    assert server.requests[0] == server.requests[1]


async def test_no_retries(session: aiohttp.ClientSession) -> None:
    """With no retries one timeout ends the call."""
    async with scripted_server([silence()]) as server:
        call = await _call(Caller(session, clock=stepping(0.195)), server.url, timeout_ms=200, max_retries=0)
    assert len(call.attempts) == 1


async def test_retry_may_succeed(session: aiohttp.ClientSession) -> None:
    """After a timeout the answer of the second attempt counts."""
    async with scripted_server([silence(), answer()]) as server:
        start_s = time.perf_counter()
        call = await _call(Caller(session), server.url, timeout_ms=2000, due_s=start_s - 1.98)
    assert [attempt.failure for attempt in call.attempts] == ["timeout", None]
    assert call.reply.status == 200


async def test_answer_after_the_timeout_is_a_timeout(session: aiohttp.ClientSession) -> None:
    """When the timer fires late the clock decides: an answer that took longer does not count."""
    async with scripted_server([answer()]) as server:
        call = await _call(Caller(session, clock=stepping(1.5)), server.url, timeout_ms=2000, max_retries=0)
    (attempt,) = call.attempts
    assert attempt.status == 200
    assert attempt.latency_ms > 2000
    assert attempt.failure == "timeout"


async def test_slow_body_is_a_timeout(session: aiohttp.ClientSession) -> None:
    """Headers in time do not save a body that stalls; what came is kept."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    async with scripted_server([silence(head)]) as server:
        due_s = time.perf_counter() - 1.5
        call = await _call(Caller(session), server.url, timeout_ms=2000, max_retries=0, due_s=due_s)
    (attempt,) = call.attempts
    assert (attempt.failure, attempt.status, attempt.body) == ("timeout", 200, b"{")
    assert attempt.headers_s is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_ms": 199}, "timeout_ms must be 200 to 2000, got 199"),
        ({"timeout_ms": 2001}, "timeout_ms must be 200 to 2000, got 2001"),
        ({"max_retries": -1}, "max_retries must be 0 to 1, got -1"),
        ({"max_retries": 2}, "max_retries must be 0 to 1, got 2"),
    ],
)
async def test_settings_that_entra_does_not_have(
    session: aiohttp.ClientSession, options: dict[str, int], message: str
) -> None:
    """Timeout and retries outside the documented range are refused with both values."""
    with pytest.raises(ValueError, match=message):
        await _call(Caller(session), "http://127.0.0.1:1/", **options)


@pytest.mark.parametrize("url", ["", "/path", "ftp://127.0.0.1/", "http://", "http:///x"])
async def test_urls_that_are_none(session: aiohttp.ClientSession, url: str) -> None:
    """What is no http URL is the user's mistake, not the endpoint's failure."""
    with pytest.raises(ValueError, match="expected an http or https URL"):
        await _call(Caller(session), url)


@pytest.mark.parametrize("token", ["a.b.c\n", "a b\x00", "é"])
async def test_tokens_that_fit_no_header(session: aiohttp.ClientSession, token: str) -> None:
    """A token with a line break is refused before anything is sent, and is not in the message."""
    with pytest.raises(ValueError, match="visible ASCII") as caught:
        await Caller(session).call("http://127.0.0.1:1/", token=token, event=EVENT)
    assert token not in str(caught.value)


async def test_attempt_shows_no_body_in_its_repr(session: aiohttp.ClientSession) -> None:
    """A reply's claims do not leak through a log of the attempt."""
    async with scripted_server([answer(body=json.dumps({"claim": "private"}).encode())]) as server:
        call = await _call(Caller(session), server.url)
    assert "private" not in repr(call)

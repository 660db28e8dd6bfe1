"""The client of downstream APIs, against a real server."""

import asyncio
import importlib
import json
from collections.abc import AsyncIterator
from unittest.mock import Mock

import pytest
from aiohttp import web

from claims.downstream.api import Downstream
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import ProviderFailed
from claims.provider import Closes, Starts
from claims.provider_module import load_provider
from tests.claims.providers.azurite import connection_string
from tests.claims.providers.desk import (
    SCOPE,
    Answer,
    Api,
    Issuer,
    broken,
    context_of,
    hanging,
    in_turn,
    new_measurements,
    respond,
    some_context,
)
from tests.claims.site import settle


@pytest.fixture
async def downstream(tokens: DownstreamTokenCache) -> AsyncIterator[Downstream]:
    """Give a client with tokens."""
    client = Downstream(tokens)
    yield client
    await client.aclose()


async def test_sends_token_and_asks_for_json(downstream: Downstream, api: Api) -> None:
    """The documented request, and nothing that would let a server answer in a form that is not capped."""
    api.answer = respond({"a": 1})
    assert await downstream.get_object(api.url, some_context(), [("x-more", "1")]) == {"a": 1}
    headers = api.requests[0].headers
    assert (headers["authorization"], headers["accept"]) == (f"Bearer {SCOPE}#1", "application/json")
    assert (headers["accept-encoding"], headers["x-more"]) == ("identity", "1")


async def test_measures_token_and_call(downstream: Downstream, api: Api) -> None:
    """The log line learns how long token and call took, and whether the token was at hand."""
    first, second = new_measurements(), new_measurements()
    await downstream.get_object(api.url, context_of(first))
    await downstream.get_object(api.url, context_of(second))
    assert set(first.timings().phases_s) == {"downstream_token", "downstream_call"}
    assert (first.cache_hits, second.cache_hits) == ({"downstream_token": False}, {"downstream_token": True})


async def test_keeps_its_connection(downstream: Downstream, api: Api) -> None:
    """One call after the other goes over one connection."""
    for _ in range(5):
        await downstream.get_object(api.url, some_context())
    assert (len(api.requests), api.connections) == (5, 1)


async def test_connections_are_bounded(downstream: Downstream, api: Api) -> None:
    """However many ask at once, no more than a hundred connections are opened; the others wait for one."""
    release = asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        await release.wait()
        return await respond({})(request)

    api.answer = hold
    calls = [asyncio.create_task(downstream.get_object(api.url, some_context())) for _ in range(150)]
    async with asyncio.timeout(20):
        while len(api.requests) < 100:  # noqa: ASYNC110 (a server has no event for "as many as will come")
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert len(api.requests) == 100
    release.set()
    assert await asyncio.gather(*calls) == [{}] * 150


async def test_given_up_calls_hold_no_connection(downstream: Downstream, api: Api) -> None:
    """More calls than there are connections may be canceled midway, and the next one is answered."""
    api.answer = hanging
    calls = [asyncio.create_task(downstream.get_object(api.url, some_context())) for _ in range(150)]
    await asyncio.sleep(0.05)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    api.answer = respond({"a": 1})
    async with asyncio.timeout(20):
        assert await downstream.get_object(api.url, some_context()) == {"a": 1}


async def test_not_found(downstream: Downstream, api: Api) -> None:
    """404 is an answer, whatever it says."""
    api.answer = respond(b"no such thing", 404)
    assert await downstream.get_object(api.url, some_context()) is None


async def test_refused_token_is_replaced_once(downstream: Downstream, api: Api, issuer: Issuer) -> None:
    """After a 401 the call goes out again, with a new token."""
    api.answer = in_turn(respond({}, 401), respond({"a": 1}))
    assert await downstream.get_object(api.url, some_context()) == {"a": 1}
    assert api.tokens_seen == [f"{SCOPE}#1", f"{SCOPE}#2"]
    assert issuer.issued == 2


async def test_refusal_of_a_new_token_too_fails(downstream: Downstream, api: Api, issuer: Issuer) -> None:
    """A downstream that refuses every token costs two calls, then one a request, and not a token each."""
    api.answer = respond({}, 401)
    for _ in range(3):
        with pytest.raises(ProviderFailed, match="expected 200 or 404, got 401"):
            await downstream.get_object(api.url, some_context())
    assert (len(api.requests), issuer.issued) == (4, 2)


async def test_broken_connection_is_tried_once_more(downstream: Downstream, api: Api) -> None:
    """A connection that the server closes as it is used again fails no sign-in."""
    api.answer = in_turn(broken, respond({"a": 1}))
    assert await downstream.get_object(api.url, some_context()) == {"a": 1}
    assert len(api.requests) == 2


@pytest.mark.parametrize(
    ("answer", "code", "detail"),
    [
        (respond({}, 403), "downstream_status", "got 403"),
        (respond({}, 429, {"retry-after": "1"}), "downstream_status", "got 429"),
        (respond({}, 500), "downstream_status", "got 500"),
        (respond({}, 302, {"location": "/elsewhere"}), "downstream_status", "got 302"),
        (respond({}, 204), "downstream_status", "got 204"),
        (respond([1]), "downstream_shape", "a value of type list"),
        (respond(b'{"secret": "value"'), "downstream_shape", "not JSON"),
        (respond(b'{"a":1,"a":2}'), "downstream_shape", "duplicate"),
        (respond(b"<html>sign in</html>"), "downstream_shape", "not JSON"),
        (respond({"a": "x" * 70_000}), "downstream_too_large", "65536"),
        (broken, "downstream_unreachable", "ServerDisconnectedError|ClientOSError"),
    ],
)
async def test_anything_else_fails_with_a_code(
    answer: Answer, code: str, detail: str, downstream: Downstream, api: Api
) -> None:
    """Each kind of bad answer has its code, and none is quoted."""
    api.answer = answer
    with pytest.raises(ProviderFailed, match=detail) as failed:
        await downstream.get_object(api.url, some_context())
    assert failed.value.code == code
    assert "secret" not in str(failed.value)


async def test_truncated_answer(downstream: Downstream) -> None:
    """A body that ends before its length is no answer, and is not asked for again."""
    asked = 0

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a"')
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ProviderFailed, match="downstream_unreachable: ClientPayloadError"):
            await downstream.get_object(f"http://127.0.0.1:{port}/", some_context())
    assert asked == 1


async def test_nobody_listens(downstream: Downstream) -> None:
    """A refused connection is told as such."""
    with pytest.raises(ProviderFailed, match="downstream_unreachable: ClientConnectorError"):
        await downstream.get_object("http://127.0.0.1:9/", some_context())


async def test_start_gets_the_token_ahead(downstream: Downstream, api: Api, issuer: Issuer) -> None:
    """After the start the first request finds a token."""
    downstream.start()
    await settle()
    assert issuer.issued == 1
    measured = new_measurements()
    await downstream.get_object(api.url, context_of(measured))
    assert measured.cache_hits == {"downstream_token": True}


async def test_without_tokens(api: Api) -> None:
    """A client without tokens sends none, and a 401 is what it is."""
    client = Downstream(None)
    client.start()
    api.answer = respond({}, 401)
    with pytest.raises(ProviderFailed, match="got 401"):
        await client.get_object(api.url, some_context())
    assert api.tokens_seen == [""]
    await client.aclose()


@pytest.mark.parametrize("name", ["graph", "profile_api", "table"])
def test_created_before_there_is_a_loop(name: str) -> None:
    """Each provider with a downstream can be created without an event loop, and be started and closed on one."""
    provider = load_provider(
        name,
        {
            "Claims__Graph__Attributes": "department",
            "Claims__ProfileApi__Url": "https://api.example.com/profile",
            "Claims__ProfileApi__Scope": SCOPE,
            "Claims__Table__Name": "claims",
            "Claims__Table__ConnectionString": connection_string("http://127.0.0.1:9/account"),
        },
    )
    assert isinstance(provider, Starts)
    assert isinstance(provider, Closes)

    async def run() -> None:
        assert isinstance(provider, Starts)
        assert isinstance(provider, Closes)
        provider.start()
        await provider.aclose()

    asyncio.run(run())


async def test_a_client_that_cannot_be_imported(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed once, for example for lack of memory, is tried again for the next request."""
    client = Downstream(None)
    with monkeypatch.context() as broken:
        broken.setattr(importlib, "import_module", Mock(side_effect=MemoryError))
        with pytest.raises(MemoryError):
            await client.get_object(api.url, some_context())
        await client.aclose()
    api.answer = respond({"a": 1})
    assert await client.get_object(api.url, some_context()) == {"a": 1}
    await client.aclose()


async def test_strict_about_json(downstream: Downstream, api: Api) -> None:
    """Unicode comes through as it is."""
    api.answer = respond(json.dumps({"a": "ä€😀"}, ensure_ascii=False).encode())
    assert await downstream.get_object(api.url, some_context()) == {"a": "ä€😀"}

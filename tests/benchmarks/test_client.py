"""The load process: every sign-in is counted once, as what it was, and timed from when it was due."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from benchmarks import client
from benchmarks.load import LoadProcess, SignIns

CLAIMS = '{"data":{"actions":[{"@odata.type":"microsoft.graph.tokenIssuanceStart.provideClaimsForToken"}]}}'

type Serve = Callable[[Callable[[str, bytes], int | None]], Any]


@pytest.fixture(name="serve")
async def a_server() -> AsyncIterator[Serve]:
    """Serve what a function of token and body says: a status, or None for no answer at all."""
    runners: list[web.AppRunner] = []

    async def start(choose: Callable[[str, bytes], int | None]) -> int:
        async def answer(request: web.Request) -> web.Response:
            status = choose(request.headers["Authorization"].removeprefix("Bearer "), await request.read())
            if status is None:
                await asyncio.Event().wait()
            return web.Response(status=status or 500, text=CLAIMS if status == 200 else "no")

        app = web.Application()
        app.add_routes([web.post("/api/onTokenIssuanceStart", answer)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    yield start
    for runner in runners:
        await runner.cleanup()


def _kinds(*, bad_weight: float = 0.0) -> dict[str, SignIns]:
    good = {"good": SignIns(token="good", body='{"id":"CORRELATION-ID"}')}
    bad = SignIns(token="bad", body='{"id":"CORRELATION-ID"}', accepted=False, weight=bad_weight)
    return good | ({"bad": bad} if bad_weight else {})


async def test_right_answers_are_right(serve: Serve) -> None:
    """Claims for the good and a refusal for the bad are no wrong answers, and nobody's event is another's."""
    bodies: list[bytes] = []

    def choose(token: str, body: bytes) -> int:
        bodies.append(body)
        return 200 if token == "good" else 401

    port = await serve(choose)
    async with LoadProcess() as load:
        result = await load.arrive(port, _kinds(bad_weight=1.0), duration_s=0.2, rate=300)
    sent = sum(len(kind.latencies_ms) for kind in result.kinds.values())
    assert [kind.wrong for kind in result.kinds.values()] == [0, 0]
    assert len(bodies) == len(set(bodies)) == sent > 20


async def test_wrong_answers_are_wrong(serve: Serve) -> None:
    """A refusal of the good, claims for the bad and an error for either are wrong."""
    port = await serve(lambda token, _: 401 if token == "good" else 200)
    async with LoadProcess() as load:
        swapped = await load.arrive(port, _kinds(bad_weight=1.0), duration_s=0.1, rate=300)
    port = await serve(lambda _token, _body: 500)
    async with LoadProcess() as load:
        failing = await load.saturate(port, _kinds(bad_weight=1.0), duration_s=0.1, connections=2)
    for result in (swapped, failing):
        for kind in result.kinds.values():
            assert kind.wrong == len(kind.latencies_ms) > 0


async def test_silence_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer is charged the whole timeout, for every sign-in that was due."""
    monkeypatch.setattr(client, "TIMEOUT_S", 0.05)
    port = await serve(lambda _token, _body: None)
    kind = {"token": "good", "body": '{"id":"CORRELATION-ID"}', "accepted": True, "weight": 1.0}
    job = {"mode": "open", "port": port, "run": 1, "rate": 200.0, "duration_s": 0.1, "kinds": {"good": kind}}
    good = (await client._do(job))["kinds"]["good"]
    assert good["statuses"] == {0: len(good["latencies_ms"])}
    assert good["wrong"] == len(good["latencies_ms"]) > 0
    assert min(good["latencies_ms"]) >= 50


async def test_reads_chunked_answers() -> None:
    """Microsoft's host, and the one that imitates it, answer without a length."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await reader.readuntil(b'"}')
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                await asyncio.sleep(0)
                writer.write(b"%x\r\n%s\r\n" % (len(CLAIMS), CLAIMS.encode()))
                await asyncio.sleep(0)
                writer.write(b"0\r\n\r\n")
                continue
            writer.close()
            return

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, LoadProcess() as load:
        port = server.sockets[0].getsockname()[1]
        result = await load.arrive(port, _kinds(), duration_s=0.2, rate=200)
    assert result.kinds["good"].statuses.keys() == {"200"}
    assert result.kinds["good"].wrong == 0

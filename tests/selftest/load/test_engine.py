"""The open loop with real sockets: when it sends, what it retries, and that it loses nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from selftest.load.engine import Limits, Prepared, Sample, run_open_loop
from selftest.load.measured.statistics import percentile
from selftest.load.outcome import AttemptJudge
from selftest.load.plan.schedule import Segment, due_offsets_s
from tests.selftest.load.endpoint import GOOD_BODY
from tests.selftest.scripted_server import Script, answer, claims_reply, raw, reset, scripted_server, silence

#: Wide enough for a busy machine, and a tenth of Entra's.
BUDGET_MS = 250
LIMITS = Limits(budget_s=BUDGET_MS / 1000, timeout_s=0.7)
#: What a stall of three tenths of a second makes late, and what no pause of the machine does.
STALLED_MS = 150
HEADERS = {"Authorization": "Bearer a.b.c", "Content-Type": "application/json"}


def prepare(number: int) -> Prepared:
    """Return the request of a number."""
    return Prepared(HEADERS, b'{"number":%d}' % number, f"id-{number}")


def after(seconds: float, script: Script) -> Script:
    """Return a script that runs later."""

    async def later(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await script(writer)

    return later


async def send(
    session: aiohttp.ClientSession, url: str, due_s: Sequence[float] = (0.0,), limits: Limits = LIMITS
) -> list[Sample]:
    """Send calls and return the samples in their order."""
    samples: list[Sample] = []
    await run_open_loop(session, URL(url), due_s, prepare, samples.append, limits=limits)
    return samples


def outcomes(sample: Sample) -> list[tuple[str, int | None]]:
    """Judge the attempts of a call."""
    judged = AttemptJudge(BUDGET_MS)
    return [judged.of(attempt, sample.prepared.correlation_id) for attempt in sample.attempts]


GOOD = claims_reply({"a": "b"})


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        ([GOOD], [("in-budget", None)]),
        ([after(0.4, GOOD), GOOD], [("late", 1003005), ("in-budget", None)]),
        ([after(0.4, answer("500 Oops")), GOOD], [("failed", 1003005), ("in-budget", None)]),
        ([silence(), GOOD], [("unanswered", 1003005), ("in-budget", None)]),
        ([silence(), after(0.4, GOOD)], [("unanswered", 1003005), ("late", 1003005)]),
        ([reset(), GOOD], [("failed", 1003027), ("in-budget", None)]),
        ([reset(), reset()], [("failed", 1003027), ("failed", 1003027)]),
        ([answer("503 No"), GOOD], [("failed", 1003002)]),
        ([answer("200 OK", b"{}", content_type="text/html"), GOOD], [("failed", 1003006)]),
        ([raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), GOOD], [("failed", 1003001)]),
        ([raw(b"no HTTP at all\r\n\r\n"), GOOD], [("failed", 1003001)]),
    ],
    ids=[
        "good",
        "late",
        "late and bad",
        "unanswered",
        "unanswered, then late",
        "broken connection",
        "broken twice",
        "refused: no retry",
        "wrong type: no retry",
        "broken off: no retry",
        "no HTTP: no retry",
    ],
)
async def test_each_outcome(
    session: aiohttp.ClientSession, scripts: list[Script], expected: list[tuple[str, int | None]]
) -> None:
    """A retry follows a timeout and a broken connection, and nothing that was answered."""
    async with scripted_server(scripts) as server:
        (sample,) = await send(session, server.url)
    assert outcomes(sample) == expected


async def test_the_retry_runs_while_the_first_is_still_watched(session: aiohttp.ClientSession) -> None:
    """The retry is due when the budget ends and has the same bytes; the first attempt is still measured."""
    async with scripted_server([after(0.4, GOOD), GOOD]) as server:
        (sample,) = await send(session, server.url)
    first, second = sample.attempts
    assert second.due_s == pytest.approx(sample.due_s + BUDGET_MS / 1000)
    assert second.end_s < first.end_s
    assert first.latency_ms >= 399
    assert server.requests[0] == server.requests[1]


async def test_a_broken_connection_is_retried_at_once(session: aiohttp.ClientSession) -> None:
    """The retry is due when the first attempt ended, and latency of it counts from there."""
    async with scripted_server([reset(), GOOD]) as server:
        (sample,) = await send(session, server.url)
    first, second = sample.attempts
    assert second.due_s == first.end_s


async def test_without_retries_there_is_one_attempt(session: aiohttp.ClientSession) -> None:
    """Without retries a miss loses the sign-in."""
    async with scripted_server([silence()]) as server:
        (sample,) = await send(session, server.url, limits=Limits(budget_s=0.05, timeout_s=0.1, max_retries=0))
    assert outcomes(sample) == [("unanswered", 1003005)]


async def test_what_is_too_much_is_dropped_and_counted(session: aiohttp.ClientSession) -> None:
    """Every call that was due is a sample, sent or not."""
    limits = Limits(budget_s=0.1, timeout_s=0.2, max_retries=0, max_in_flight=2)
    async with scripted_server([silence()]) as server:
        samples = await send(session, server.url, [number / 1000 for number in range(10)], limits)
    assert sorted(sample.number for sample in samples) == list(range(10))
    assert sum(not sample.attempts for sample in samples) == 8


async def test_the_tail_is_waited_for(session: aiohttp.ClientSession) -> None:
    """Calls that end long after the last was sent are not lost."""
    async with scripted_server([after(0.1, GOOD)]) as server:
        samples = await send(session, server.url, [number / 100 for number in range(10)])
    assert [outcomes(sample) for sample in samples] == [[("in-budget", None)]] * 10


async def test_each_call_has_its_own_request(session: aiohttp.ClientSession) -> None:
    """The request of a number goes out once, with the headers that were prepared and no others."""
    async with scripted_server([GOOD]) as server:
        await send(session, server.url, [0.0, 0.01, 0.02])
    assert sorted(request.partition(b"\r\n\r\n")[2] for request in server.requests) == [
        b'{"number":0}',
        b'{"number":1}',
        b'{"number":2}',
    ]
    assert b"User-Agent" not in server.requests[0]


async def test_an_error_of_ours_ends_the_run(session: aiohttp.ClientSession) -> None:
    """An exception of ``take`` ends the run, and no task is left."""

    def refuse(_: Sample) -> None:
        raise LookupError("ours")

    async with scripted_server([GOOD, silence()]) as server:
        with pytest.raises(LookupError, match="ours"):
            await run_open_loop(session, URL(server.url), [0.0, 0.0, 0.0], prepare, refuse, limits=LIMITS)
    assert len(asyncio.all_tasks()) == 1


@pytest.fixture(name="stalling")
async def a_server_that_stalls() -> AsyncIterator[str]:
    """Serve immediately, except for a stall of three tenths of a second after the first request."""
    stalls_from_s: list[float] = []

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        now_s = time.perf_counter()
        if not stalls_from_s:
            stalls_from_s.append(now_s + 0.3)
        await asyncio.sleep(max(0.0, stalls_from_s[0] + 0.3 - now_s) if now_s > stalls_from_s[0] else 0.0)
        return web.Response(body=GOOD_BODY, content_type="application/json")

    app = web.Application()
    app.router.add_post("/x", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/x"
    await runner.cleanup()


async def _closed_loop(session: aiohttp.ClientSession, url: str, users: int, seconds: float) -> list[float]:
    """Send calls as most load tools do, waiting for each response, and return the latencies in ms."""
    end_s = time.perf_counter() + seconds
    took_ms: list[float] = []

    async def user() -> None:
        while (start_s := time.perf_counter()) < end_s:
            async with session.post(url, data=b"{}") as response:
                await response.read()
            took_ms.append((time.perf_counter() - start_s) * 1000)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(user() for _ in range(users)))
    return took_ms


async def test_a_stall_is_seen_by_the_open_loop_and_hidden_by_a_closed_one(
    session: aiohttp.ClientSession, stalling: str
) -> None:
    """A stall of 0.3 s in 1.2 s makes a fifth of the calls late.

    The same as 20 calls per second and a stall of three seconds in thirty, ten times as fast.
    """
    due_s = due_offsets_s([Segment(rate_per_s=100, duration_s=1.2)], "constant", 0)
    open_ms = sorted((each.attempts[0].end_s - each.due_s) * 1000 for each in await send(session, stalling, due_s))
    assert percentile(open_ms, 0.9) > STALLED_MS
    assert len(open_ms) == 120


async def test_the_closed_loop_does_hide_it(session: aiohttp.ClientSession, stalling: str) -> None:
    """A closed loop with two users measures only a few late calls."""
    closed_ms = sorted(await _closed_loop(session, stalling, users=2, seconds=1.2))
    assert percentile(closed_ms, 0.9) < STALLED_MS
    assert closed_ms[-1] > STALLED_MS

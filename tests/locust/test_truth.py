"""The truth test: the server keeps to its plan, the truth follows from the schedule, the answers are read."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from benchmarks.load_tools.tools import ENGINE, TOOLS, Job, Reported
from benchmarks.load_tools.truth import Case, Row, measure, musts
from benchmarks.rounds import percentile
from selftest.play.caller import caller_session
from tests.locust.runs import ROOT

_BY_NAME = {tool.name: tool for tool in TOOLS}
STALL = Case(title="a stall of 3 s, 20/s", rate_per_s=20, duration_s=15, stall_at_s=5.0, stall_s=3.0)


def test_truth_of_a_stall_follows_from_the_schedule() -> None:
    """Sixty calls are due in the stall, the first waits for all of it, and twenty wait longer than 2 s."""
    latencies_ms = STALL.latencies_ms()
    assert len(latencies_ms) == 300
    assert max(latencies_ms) == 3000
    assert sum(latency_ms > 2000 for latency_ms in latencies_ms) == 20
    assert percentile(latencies_ms, 99) == pytest.approx(2850)
    assert percentile(latencies_ms, 50) == 200


def test_truth_of_a_constant_server() -> None:
    """Nothing but the latency itself."""
    assert set(Case(title="", rate_per_s=100, duration_s=1).latencies_ms()) == {200}


async def test_server_answers_when_it_says() -> None:
    """Bodies in pieces, many on one connection, none before its time; its notes agree."""
    async with _server("--latency-s", "0.05") as (url, end), caller_session() as session:
        took_s = [await _post(session, url, b"x" * size) for size in (0, 1, 100_000)]
        notes = await end()
    assert min(took_s) >= 0.05
    assert len(notes) == 3
    assert min(end_s - arrival_s for arrival_s, end_s in notes) >= 0.05
    assert notes[0][0] == 0.0


async def test_server_stalls_once() -> None:
    """What arrives in the stall is answered at its end, together; what comes later is not delayed."""
    async with (
        _server("--latency-s", "0", "--stall-at-s", "0", "--stall-s", "0.3") as (url, end),
        caller_session() as session,
    ):
        first = asyncio.create_task(_post(session, url, b""))
        await asyncio.sleep(0.05)
        together_s = await asyncio.gather(first, *(_post(session, url, b"") for _ in range(5)))
        after_s = await _post(session, url, b"")
        notes = await end()
    assert together_s[0] >= 0.3
    assert max(end_s for _, end_s in notes[:6]) - min(end_s for _, end_s in notes[:6]) < 0.1
    assert after_s < 0.2


def test_answers_of_the_tools_are_read(tmp_path: Path) -> None:
    """One answer of each, shortened."""
    job = Job(base_url="", rate_per_s=10, duration_s=1, body=tmp_path)
    hey = "response-time,DNS+dialup,...\n" + "".join(f"{0.2 + n / 1000:.4f},0,0\n" for n in range(99)) + "2.5,0,0\n"
    said = _BY_NAME["hey"].read(hey, job)
    assert (said.calls, round(said.p99_ms), said.over_budget) == (100, 298, 1)
    wrk = "Running 1s test\ndistribution [[200000,98],[2100000,2]]\n"
    assert _BY_NAME["wrk"].read(wrk, job) == Reported(calls=100, p99_ms=2100, over_budget=2)
    engine = json.dumps({"latencies_ms": [200.0] * 99 + [3000.0], "late_ms": [1.0] * 100})
    read = ENGINE.read(engine, job)
    assert (read.calls, read.p99_ms, read.over_budget, read.lateness_p99_ms) == (100, 200.0, 1, 1.0)
    row = {"name": "callout", "num_requests": 100, "num_failures": 3, "response_times": {"200": 97, "2000": 3}}
    locust = json.dumps([{**row, "name": "sign-in"}, row])
    assert _BY_NAME["Locust, paced users"].read(locust, job).over_budget == 0, "rounded to the budget"
    ours = _BY_NAME["Locust, this locustfile"].read(f"{locust}\nPASS  2 sent more than 25 ms late", job)
    assert (ours.p99_ms, ours.over_budget, ours.lateness) == (2000, 3, "2 over 25 ms")


@pytest.mark.waits
@pytest.mark.parametrize("name", ["Locust, this locustfile", "Locust, paced users", "hey", "wrk"])
def test_each_tool_runs(name: str) -> None:
    """Three seconds at 50/s, of which a busy machine needs one to start: it came to the server, and can be read."""
    row = measure([Case(title="short", rate_per_s=50, duration_s=3)], [_BY_NAME[name]])[0]
    if row.note.startswith("not installed"):
        pytest.skip(row.note)
    assert row.reported is not None, row.note
    assert row.served > 10
    assert row.reported.calls > 10
    assert 190 < row.truth_p99_ms < 1000
    assert len(row.cells()) == 10


def test_absent_tool_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table names what is missing, and how to get it."""
    monkeypatch.setenv("PATH", "")
    row = measure([Case(title="short", rate_per_s=1, duration_s=1)], [_BY_NAME["hey"]])[0]
    assert row.reported is None
    assert row.cells()[2] == "not installed: apt-get install hey"


@pytest.mark.parametrize(
    ("p99_ms", "over_budget", "lateness_ms", "holds"),
    [(2800, 20, 1, True), (2850, 19, 1, True), (35, 6, 1, False), (2850, 17, 1, False), (2850, 20, 60, False)],
)
def test_engine_is_held_to_the_truth(p99_ms: float, over_budget: int, lateness_ms: float, *, holds: bool) -> None:
    """A wrong percentile, a wrong count and a late generator are each found."""
    reported = Reported(calls=300, p99_ms=p99_ms, over_budget=over_budget, lateness_p99_ms=lateness_ms)
    row = Row(case=STALL, tool=ENGINE.name, truth_p99_ms=2850, truth_over_budget=20, reported=reported)
    assert all(must.holds for must in musts([row])) is holds


def test_absent_engine_does_not_hold() -> None:
    """No report of ours is no proof."""
    assert not any(must.holds for must in musts([Row(case=STALL, tool=ENGINE.name, note="no answer")]))


@asynccontextmanager
async def _server(*arguments: str) -> AsyncIterator[tuple[str, "Ending"]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load_tools.server", *arguments),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:
        yield f"http://127.0.0.1:{port}/", Ending(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Ending:
    """Ends the server and gives its notes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def __call__(self) -> list[list[float]]:
        """End it."""
        written, _ = await self._process.communicate()
        notes: list[list[float]] = json.loads(written)
        return notes


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> float:
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    async with session.post(url, data=body) as response:
        assert response.status == 200
        await response.read()
    return loop.time() - start_s

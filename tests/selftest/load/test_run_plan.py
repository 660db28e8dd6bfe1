"""Cold starts, memory and progress of a load run."""

import asyncio
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.server import EntraServer
from selftest.load.cold_start import cold_start
from selftest.load.memory import PeakGrowth, resident_kb, watch_memory
from selftest.load.plan.arguments import short_plan
from selftest.load.plan.profiles import steady
from selftest.load.prepared_events import CalloutFactory, TokenPool
from selftest.load.progress import LoadProgress
from selftest.load.run_plan import LoadTarget, play
from selftest.play.target import endpoint_settings
from tests.checkout import ROOT
from tests.selftest.load.endpoint import GOOD_BODY
from tests.selftest.load.loads import attempt, call


async def test_a_cold_start_is_timed_from_spawn_to_answer(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """A new worker of this app listens, gets one call, and its reply is minted."""
    prepared = CalloutFactory(DEFAULT_TENANT, TokenPool(entra.mint.callout_token, pool=1), seed=1)(0)
    line = await cold_start(endpoint_settings(entra), ROOT, CALLOUT_PATH, session, prepared)
    assert line["minted"] is True
    assert 0 < line["listening_ms"] < line["answered_ms"]


async def test_the_warm_up_opens_the_connection_that_the_load_uses(entra: EntraServer) -> None:
    """The pages say so: every call of the load arrives on a connection of the warm-up."""
    connections: list[object] = []

    async def reply(request: web.Request) -> web.Response:
        connections.append(request.transport)
        return web.Response(body=GOOD_BODY, content_type="application/json")

    app = web.Application()
    app.router.add_post("/", reply)
    plan = short_plan(cold_starts=0)
    config = replace(plan.config, rate_per_s=5.0, warmup_s=0.8, duration_s=0.8)
    few = replace(plan, config=config, segments=steady(5.0, 0.8))
    lines: list[dict[str, Any]] = []
    async with TestServer(app) as server:
        callouts = CalloutFactory(DEFAULT_TENANT, TokenPool(entra.mint.callout_token, pool=1), seed=1)
        await play(LoadTarget(url=str(server.make_url("/")), callouts=callouts), few, lines.append)
    warm = sum(line.get("warmup", False) for line in lines)
    assert 0 < warm < len(connections)
    assert set(connections[warm:]) <= set(connections[:warm])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the resident memory from /proc (Linux)")
def test_resident_memory_is_that_of_the_process() -> None:
    """This interpreter needs some megabytes; a process that has ended has no value."""
    found = resident_kb(os.getpid())
    assert found is not None
    assert 10_000 < found < 10_000_000
    assert resident_kb(2**22 + 1) is None


def test_peak_growth_is_of_the_process_and_of_now(tmp_path: Path) -> None:
    """The growth counts from the start; without data it is None."""
    process = tmp_path / "7"
    process.mkdir()
    growth = PeakGrowth(7, tmp_path)
    assert (process / "clear_refs").read_text() == "5"
    assert growth() is None
    (process / "status").write_text("Name:\tx\nVmHWM:\t    1000 kB\n")
    growth = PeakGrowth(7, tmp_path)
    (process / "status").write_text("Name:\tx\nVmHWM:\t    1500 kB\n")
    assert growth() == 500


async def test_watching_ends_where_there_is_nothing_to_see(tmp_path: Path) -> None:
    """Without /proc, or when the process has ended, the load goes on without samples."""
    lines: list[dict[str, Any]] = []
    await asyncio.wait_for(watch_memory(os.getpid(), 60, lines.append, proc=tmp_path), timeout=20)
    assert lines == []
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "statm").write_text("1000 500 1 1 0 1 0")
    watching = asyncio.create_task(watch_memory(7, 60, lines.append, proc=tmp_path))
    await asyncio.sleep(0.02)
    watching.cancel()
    assert [line["resident_kb"] for line in lines] == [500 * os.sysconf("SC_PAGE_SIZE") // 1024]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_progress_tells_rate_misses_and_time_left() -> None:
    """On a terminal, cleared at the end; a file gets nothing."""
    terminal, file = _Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = LoadProgress("load", rate_per_s=20, total=1200, seconds=60, stream=stream)
        progress.take(call(0.0, attempt()))
        progress.take(call(0.1, attempt(2500, "late")))
        progress.take(call(0.2))
        showing = asyncio.create_task(progress.show())
        await asyncio.sleep(0.02)
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        assert progress.text(12.0) == "load 20/s  3 of 1,200 calls  2 missed  48 s left"
    assert "3 of 1,200 calls  2 missed" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert file.getvalue() == ""

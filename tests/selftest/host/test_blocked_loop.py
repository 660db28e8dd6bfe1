"""The host says where an app blocks its event loop, while it does, and for how long once it is over."""

import asyncio
from pathlib import Path

import aiohttp

from selftest.host.process import AppProcess
from selftest.judge.app_line import LOOP_BLOCKED
from selftest.play.app_log import host_lines

APP = Path(__file__).parent / "apps" / "blocks"
#: Of ``time.sleep`` in the app.
LINE = 1 + (APP / "function_app.py").read_text().splitlines().index("    time.sleep(1.0)")


async def test_the_place_is_named_while_it_lasts() -> None:
    """Before the answer the file and line are there, and after it the time."""
    async with AppProcess({}, app_dir=APP) as app, aiohttp.ClientSession() as session:
        asked = asyncio.create_task(session.get(f"{app.url}/api/blocks"))
        await app.wait_for_line(lambda line: LOOP_BLOCKED in line)
        assert not asked.done()
        (during,) = host_lines(app.logs)
        assert (during.detail, during.total_ms) == (f"at function_app.py:{LINE}", None)
        assert (await asked).status == 200
        await app.wait_for_line(lambda line: "total_ms" in line)
        (after,) = host_lines(app.logs)
        assert after.detail == during.detail
        assert after.total_ms is not None
        assert 250 <= after.total_ms <= 5000


async def test_a_thread_that_blocks_is_no_fault() -> None:
    """The loop runs meanwhile."""
    async with AppProcess({}, app_dir=APP) as app, aiohttp.ClientSession() as session:
        assert (await session.get(f"{app.url}/api/waits")).status == 200
        assert host_lines(app.logs) == ()

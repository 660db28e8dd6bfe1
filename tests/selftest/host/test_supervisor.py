"""A worker that ends is replaced, as by Microsoft's host; tests/parity/test_lifecycle.py compares the two."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from selftest.host.process import AppProcess

ENDS = Path(__file__).parent / "apps" / "ends"


async def status_of(session: aiohttp.ClientSession, url: str) -> int:
    """Return the status of an answer."""
    async with session.get(url) as response:
        return response.status


async def worker_of(session: aiohttp.ClientSession, app: AppProcess) -> str:
    """Return the number of the process that answers; a request waits while there is none."""
    async with session.get(f"{app.url}/api/pid") as response:
        return await response.text()


@pytest.mark.parametrize("path", ["ends", "hangs"])
async def test_running_calls_are_answered_500_and_the_worker_is_replaced(path: str) -> None:
    """Whether it ended or a call took longer than functionTimeout; the port stays open."""
    async with AppProcess({}, app_dir=ENDS) as app, aiohttp.ClientSession() as session:
        before = await worker_of(session, app)
        running = asyncio.create_task(status_of(session, f"{app.url}/api/hangs"))
        await asyncio.sleep(0.1)
        assert await status_of(session, f"{app.url}/api/{path}") == 500
        assert await running == 500
        await app.wait_for_line(lambda line: "running calls are answered 500" in line)
        after = await worker_of(session, app)
        assert after != before
        assert app.pid == int(after)
        assert await app.stop() == 0


async def test_third_end_within_a_minute_is_the_hosts() -> None:
    """Then the program ends, and says what Azure does."""
    async with AppProcess({}, app_dir=ENDS) as app, aiohttp.ClientSession() as session:
        for _ in range(3):
            assert await status_of(session, f"{app.url}/api/ends") == 500
        await app.wait_for_line(lambda line: "Azure's host gives up" in line, timeout_s=10)
        assert await app.stop() == 1


async def test_worker_ends_with_its_supervisor() -> None:
    """A supervisor that is killed leaves nobody on the port."""
    async with AppProcess({}, app_dir=ENDS, stop_timeout_s=0) as app, aiohttp.ClientSession() as session:
        worker = Path(f"/proc/{await worker_of(session, app)}")
        app._started.kill()
        await app._started.wait()
        async with asyncio.timeout(20):
            while worker.exists():  # noqa: ASYNC110, ASYNC240 (another process ends)
                await asyncio.sleep(0.02)

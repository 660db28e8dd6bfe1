"""The time from a new worker's start until it listens, and until its first call is answered.

It is measured separately from the load: it affects the first user after a scale-out or a restart. The time that the
platform needs before it spawns the worker is not included.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from selftest.host.process import AppProcess
from selftest.judge.verdict import judge
from selftest.load.engine import Prepared
from selftest.play.caller import Call, Exchange

#: Long enough to show how late the first call is.
_TIMEOUT_S = 10.0


async def cold_start(
    settings: Mapping[str, str],
    app_dir: Path,
    callout_path: str,
    session: aiohttp.ClientSession,
    prepared: Prepared,
    *,
    python: Path | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Start a worker, send it one call as soon as it listens, stop it, and return the line of the raw file.

    Raises:
        AppStartError: The worker does not start.
    """
    spawned_s = clock()
    async with AppProcess(settings, app_dir=app_dir, python=python) as app:
        listening_s = clock()
        exchange = Exchange(session, clock, listening_s)
        attempt = await exchange.run(URL(app.url + callout_path), prepared.headers, prepared.body, _TIMEOUT_S)
    return {
        "kind": "cold_start",
        "listening_ms": round((listening_s - spawned_s) * 1000, 3),
        # The host imports the app before it reports that it listens, and does not report when.
        "indexed_ms": None,
        "answered_ms": round((attempt.end_s - spawned_s) * 1000, 3),
        "minted": judge(Call(attempts=(attempt,)).reply).minted,
    }

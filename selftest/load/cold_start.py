"""A fresh worker: how long until it listens, and until its first call is answered.

It is measured apart and never mixed into the load's figures: it is what the first user after a scale-out or a restart
meets. What the platform adds before it spawns the worker cannot be seen from here.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from selftest.host.process import AppProcess
from selftest.judge.verdict import Reply, judge
from selftest.load.engine import Prepared
from selftest.play.caller import Exchange

#: How long the first call is waited for: long enough to see how late it is.
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
    """Start a worker, send it one call as soon as it listens, end it, and give the line of the raw file.

    Raises:
        AppStartError: It does not start.
    """
    spawned_s = clock()
    async with AppProcess(settings, app_dir=app_dir, python=python) as app:
        listening_s = clock()
        exchange = Exchange(session, clock, listening_s)
        attempt = await exchange.run(URL(app.url + callout_path), prepared.headers, prepared.body, _TIMEOUT_S)
    reply = Reply(
        status=attempt.status,
        content_type=attempt.header("Content-Type"),
        body=attempt.body,
        failure=attempt.failure,
    )
    return {
        "kind": "cold_start",
        "listening_ms": round((listening_s - spawned_s) * 1000, 3),
        # The host imports the app before it says that it listens, and does not say when.
        "indexed_ms": None,
        "answered_ms": round((attempt.end_s - spawned_s) * 1000, 3),
        "minted": judge(reply).minted,
    }

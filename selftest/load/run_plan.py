"""Plays a load plan against an endpoint and passes on each line of the raw file.

All slow work is done before the clock starts: minting tokens, encoding bodies, computing the schedule. The warm-up,
which opens the connections, and the cold starts, which come first, are measured separately.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from yarl import URL

from selftest.load.cold_start import cold_start
from selftest.load.engine import Limits, Prepared, Sample, run_open_loop
from selftest.load.measured.collect import load_line
from selftest.load.memory import watch_memory
from selftest.load.outcome import AttemptJudge, call_line
from selftest.load.plan.profiles import LoadPlan
from selftest.load.plan.schedule import Segment, due_offsets_s
from selftest.load.prepared_events import CalloutFactory
from selftest.load.progress import LoadProgress
from selftest.play.caller import caller_session

#: The first numbers of correlation ids in the warm-up and in cold starts; those of the run start at zero.
_WARMUP_FROM: Final = 1 << 40
_COLD_FROM: Final = 1 << 41

type TakeLine = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTarget:
    """The endpoint of a load run.

    Attributes:
        pid: The endpoint's process id, if the harness runs it.
        app_dir: The folder of the app for cold starts; None if there is none.
        python: That app's interpreter; None for the one in its folder.
    """

    url: str = field(repr=False)
    callouts: CalloutFactory
    pid: int | None = None
    app_dir: Path | None = None
    python: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    callout_path: str = ""


async def play(target: LoadTarget, plan: LoadPlan, take: TakeLine) -> None:
    """Play the plan and call ``take`` with a line for each call, memory sample and cold start.

    Raises:
        AppStartError: A worker of a cold start does not start.
    """
    config = plan.config
    due_s = due_offsets_s(plan.segments, config.arrivals, config.seed)
    take(load_line(plan, len(due_s)))
    async with caller_session() as session:
        for number in range(plan.cold_starts if target.app_dir is not None else 0):
            take(await _cold_start(target, session, number))
        run = _Run(target, plan, session, take)
        if config.warmup_s:
            warmup = (Segment(rate_per_s=plan.segments[0].rate_per_s, duration_s=config.warmup_s),)
            await run.part(due_offsets_s(warmup, "constant", 0), config.warmup_s, warmup=True)
        start_s, start_wall_s = time.perf_counter(), time.time()
        async with _watched(target, config.duration_s, take):
            await run.part(due_s, config.duration_s, warmup=False)
        elapsed_s, wall_s = time.perf_counter() - start_s, time.time() - start_wall_s
    take({"kind": "load_end", "elapsed_s": round(elapsed_s, 3), "wall_s": round(wall_s, 3)})


class _Run:
    def __init__(self, target: LoadTarget, plan: LoadPlan, session: aiohttp.ClientSession, take: TakeLine) -> None:
        config = plan.config
        self._url = URL(target.url, encoded=True)
        self._callouts = target.callouts
        self._rate_per_s = config.rate_per_s
        self._session = session
        self._take = take
        self._outcomes = AttemptJudge(config.budget_ms)
        self._limits = Limits(
            budget_s=config.budget_ms / 1000,
            timeout_s=config.timeout_ms / 1000,
            max_retries=config.max_retries,
            max_in_flight=config.max_in_flight,
        )

    async def part(self, due_s: Sequence[float], seconds: float, *, warmup: bool) -> None:
        """Play one schedule until its last call ends."""
        first = _WARMUP_FROM if warmup else 0
        progress = LoadProgress(
            "warm-up" if warmup else "load", rate_per_s=self._rate_per_s, total=len(due_s), seconds=seconds
        )

        def prepare(number: int) -> Prepared:
            return self._callouts(first + number)

        def take(sample: Sample) -> None:
            line = call_line(sample, self._outcomes, warmup=warmup)
            self._take(line)
            progress.take(line)

        async with _alongside(progress.show()):
            await run_open_loop(self._session, self._url, due_s, prepare, take, limits=self._limits)


async def _cold_start(target: LoadTarget, session: aiohttp.ClientSession, number: int) -> dict[str, Any]:
    assert target.app_dir is not None  # noqa: S101 - checked by the caller
    prepared = target.callouts(_COLD_FROM + number)
    return await cold_start(
        target.settings, target.app_dir, target.callout_path, session, prepared, python=target.python
    )


@asynccontextmanager
async def _watched(target: LoadTarget, duration_s: float, take: TakeLine) -> AsyncIterator[None]:
    """Sample the memory of the endpoint's process during the block, if the harness runs it."""
    if target.pid is None:
        yield
        return
    async with _alongside(watch_memory(target.pid, duration_s, take)):
        yield


@asynccontextmanager
async def _alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a coroutine during the block, and cancel it at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

"""Plays a load plan against an endpoint and hands out the lines of the raw file as they come.

Everything that takes time is done before the clock starts: tokens are minted, bodies encoded, the schedule computed.
The warm-up opens the connections and is kept apart; so are the cold starts, which come first.
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
from selftest.load.outcome import Outcomes, call_line
from selftest.load.plan.profiles import LoadPlan
from selftest.load.plan.schedule import Segment, due_offsets_s
from selftest.load.prepared_events import Callouts
from selftest.load.progress import LoadProgress
from selftest.play.caller import caller_session

#: Correlation ids of the warm-up and of cold starts are counted from here, those of the run from zero.
_WARMUP_FROM: Final = 1 << 40
_COLD_FROM: Final = 1 << 41

type Take = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a load is played.

    Attributes:
        url: the endpoint.
        callouts: the requests.
        pid: of the endpoint's process, where it is ours.
        app_dir: of the app that cold starts start; None: there is none to start.
        python: its interpreter; None: the one that its folder has.
        settings: of that app.
        callout_path: where it takes events.
    """

    url: str = field(repr=False)
    callouts: Callouts
    pid: int | None = None
    app_dir: Path | None = None
    python: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    callout_path: str = ""


async def play(ground: Ground, plan: LoadPlan, take: Take) -> None:
    """Play the plan; every call, memory sample and cold start is one line for ``take``.

    Raises:
        AppStartError: A cold start's worker does not start.
    """
    config = plan.config
    due_s = due_offsets_s(plan.segments, config.arrivals, config.seed)
    take(load_line(plan, len(due_s)))
    async with caller_session() as session:
        for number in range(plan.cold_starts if ground.app_dir is not None else 0):
            take(await _cold_start(ground, session, number))
        run = _Run(ground, plan, session, take)
        if config.warmup_s:
            warmup = (Segment(rate_per_s=plan.segments[0].rate_per_s, duration_s=config.warmup_s),)
            await run.part(due_offsets_s(warmup, "constant", 0), config.warmup_s, warmup=True)
        start_s, start_wall_s = time.perf_counter(), time.time()
        async with _watched(ground, config.duration_s, take):
            await run.part(due_s, config.duration_s, warmup=False)
        elapsed_s, wall_s = time.perf_counter() - start_s, time.time() - start_wall_s
    take({"kind": "load_end", "elapsed_s": round(elapsed_s, 3), "wall_s": round(wall_s, 3)})


class _Run:
    def __init__(self, ground: Ground, plan: LoadPlan, session: aiohttp.ClientSession, take: Take) -> None:
        config = plan.config
        self._url = URL(ground.url, encoded=True)
        self._callouts = ground.callouts
        self._rate_per_s = config.rate_per_s
        self._session = session
        self._take = take
        self._outcomes = Outcomes(config.budget_ms)
        self._limits = Limits(
            budget_s=config.budget_ms / 1000,
            timeout_s=config.timeout_ms / 1000,
            max_retries=config.max_retries,
            max_in_flight=config.max_in_flight,
        )

    async def part(self, due_s: Sequence[float], seconds: float, *, warmup: bool) -> None:
        """Play one schedule to the end of its last call."""
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

        async with _beside(progress.show()):
            await run_open_loop(self._session, self._url, due_s, prepare, take, limits=self._limits)


async def _cold_start(ground: Ground, session: aiohttp.ClientSession, number: int) -> dict[str, Any]:
    assert ground.app_dir is not None  # noqa: S101 - the caller has looked
    prepared = ground.callouts(_COLD_FROM + number)
    return await cold_start(
        ground.settings, ground.app_dir, ground.callout_path, session, prepared, python=ground.python
    )


@asynccontextmanager
async def _watched(ground: Ground, duration_s: float, take: Take) -> AsyncIterator[None]:
    """Sample the memory of the endpoint's process meanwhile, where there is one to look at."""
    if ground.pid is None:
        yield
        return
    async with _beside(watch_memory(ground.pid, duration_s, take)):
        yield


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do this beside the block, and stop it at its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

"""The open loop: sends each call when it is due, whatever became of the ones before, and keeps all that it sees.

It judges nothing and knows nothing of Entra's events: it takes prepared requests and hands out samples, so that a
benchmark can use it as it is. Latency counts from when a call was due. Two times are kept apart: after ``budget_s``
Entra gives an attempt up and makes its retry; until ``timeout_s`` the engine goes on watching, so that it is seen how
late a late answer is. The retry runs meanwhile.

A call that would be one more than ``max_in_flight`` is not sent but counted, as dropped. The tail is waited for.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from yarl import URL

from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS
from selftest.play.caller import RETRIED, Attempt, Exchange

#: Between starting the engine and the first call: what it takes to set up is not the first call's lateness.
_LEAD_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request, ready to be sent: its headers and the bytes of its body; retried as it is."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    correlation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call and what came of it.

    Attributes:
        number: its place in the schedule, from 0.
        due_s: when it was due, in seconds from the start of the run.
        attempts: with times in seconds from the start of the run; none where the call was dropped.
    """

    number: int
    due_s: float
    prepared: Prepared
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds a run.

    Attributes:
        budget_s: when a retry is made, from when the attempt was due.
        timeout_s: when an attempt is given up, from when it was due.
        max_retries: 0 or 1.
        max_in_flight: calls under way at once.
    """

    budget_s: float = MAX_TIMEOUT_MS / 1000
    timeout_s: float = 10.0
    max_retries: int = MAX_RETRIES
    max_in_flight: int = 2000


async def run_open_loop(
    session: aiohttp.ClientSession,
    url: URL,
    due_s: Sequence[float],
    prepare: Callable[[int], Prepared],
    take: Callable[[Sample], None],
    *,
    limits: Limits = Limits(),
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Send each call when it is due, and return when the last one has ended.

    Args:
        session: From ``caller_session``; as many connections as there are calls.
        url: Where to.
        due_s: When each call is due, in seconds from the start, ascending.
        prepare: Gives the request of a number; has to take microseconds.
        take: Is given each sample when its last attempt has ended; has to take microseconds, too.
        limits: Budget, timeout, retries and calls under way.
        clock: Monotonic seconds.

    Raises:
        Exception: What ``prepare`` or ``take`` raised; the run ends then.
    """
    with _quiet_collector():
        run = _Run(session, url, take, limits, clock)
        try:
            await run.send_all(due_s, prepare)
        finally:
            await run.close()


class _Run:
    """The calls that are under way."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        take: Callable[[Sample], None],
        limits: Limits,
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._url = url
        self._take = take
        self._limits = limits
        self._absolute = clock
        self._start_s = clock() + _LEAD_S
        self._loop = asyncio.get_running_loop()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._broken: BaseException | None = None

    def _clock(self) -> float:
        return self._absolute() - self._start_s

    async def send_all(self, due_s: Sequence[float], prepare: Callable[[int], Prepared]) -> None:
        for number, at_s in enumerate(due_s):
            await self._until(at_s)
            if self._broken is not None:
                break
            prepared = prepare(number)
            if len(self._under_way) >= self._limits.max_in_flight:
                self._take(Sample(number=number, due_s=at_s, prepared=prepared, attempts=()))
                continue
            _ = self._start(self._call(number, at_s, prepared))
        while self._under_way and self._broken is None:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_EXCEPTION)
        if self._broken is not None:
            raise self._broken

    async def _until(self, at_s: float) -> None:
        # Also when it is late: answers have to be read, or one late call would make all others late.
        await asyncio.sleep(max(0.0, at_s - self._clock()))
        if (early_s := at_s - self._clock()) > 0:
            await asyncio.sleep(early_s)

    async def close(self) -> None:
        """Give up what is still under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _start[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        # Eager: the request is on its way before anything else of the loop has its turn.
        task = asyncio.Task(work, loop=self._loop, eager_start=True)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = self._broken or error

    async def _call(self, number: int, due_s: float, prepared: Prepared) -> None:
        """Make the first attempt, and the retry when Entra would, also while the first is still awaited."""
        gives_up_s = due_s + self._limits.budget_s
        retries: list[asyncio.Task[Attempt]] = []
        timer = None
        if self._limits.max_retries:
            timer = self._loop.call_later(
                max(0.0, gives_up_s - self._clock()),
                lambda: retries.append(self._start(self._attempt(prepared, gives_up_s))),
            )
        try:
            first = await self._attempt(prepared, due_s)
        finally:
            if timer is not None:
                timer.cancel()
        late = first.end_s > gives_up_s
        if timer is not None and not retries and (late or first.failure in RETRIED):
            retries.append(self._start(self._attempt(prepared, gives_up_s if late else first.end_s)))
        attempts = (first, *[await retry for retry in retries])
        self._take(Sample(number=number, due_s=due_s, prepared=prepared, attempts=attempts))

    async def _attempt(self, prepared: Prepared, due_s: float) -> Attempt:
        exchange = Exchange(self._session, self._clock, due_s)
        return await exchange.run(self._url, prepared.headers, prepared.body, self._limits.timeout_s)


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Take what is there already out of the garbage collector's sight: looking through it takes milliseconds."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

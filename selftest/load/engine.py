"""The open loop: sends each call when it is due, regardless of earlier calls, and records every result.

It does not judge and does not know Entra's events: it takes prepared requests and returns samples, so that a benchmark
can use it, too. Latency counts from when a call was due. ``budget_s`` is Entra's timeout: after it Entra aborts an
attempt and retries. The engine sends the retry then, too, but aborts the attempt only after ``timeout_s``, so that late
responses are measured.

A call that is due while ``max_in_flight`` requests are in progress is not sent but counted as dropped. The run ends
with its last response.
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

#: The time from the engine's start to the first call, so that the set-up does not make the first call late.
_LEAD_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request, ready to be sent: its headers and the bytes of its body, also for the retry."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    correlation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call and its attempts.

    Attributes:
        number: The call's index in the schedule, from 0.
        due_s: When the call was due, in seconds from the start of the run.
        attempts: The attempts, with times in seconds from the start of the run; empty if the call was dropped.
    """

    number: int
    due_s: float
    prepared: Prepared
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a run.

    Attributes:
        budget_s: Entra's timeout, in seconds from when the attempt was due: then the retry is sent.
        timeout_s: When the engine aborts an attempt, in seconds from when it was due; longer than Entra's timeout, to
            measure late responses.
        max_retries: 0 or 1.
        max_in_flight: The number of first calls and retries in progress at which a due call is dropped; a retry is
            always sent.
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
        url: The endpoint.
        due_s: When each call is due, in seconds from the start, ascending.
        prepare: Returns the request of a number, within microseconds.
        take: Called with each sample after its last attempt; must return within microseconds.
        limits: Budget, timeout, retries and concurrent calls.
        clock: Returns monotonic seconds.

    Raises:
        Exception: ``prepare`` or ``take`` raised; the run ends.
    """
    with _frozen_collector():
        run = _Run(session, url, take, limits, clock)
        try:
            await run.send_all(due_s, prepare)
        finally:
            await run.close()


class _Run:
    """The calls in progress."""

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
        # Yield to the loop even if the call is late: responses must be read, or one late call would delay all others.
        await asyncio.sleep(max(0.0, at_s - self._clock()))
        if (remaining_s := at_s - self._clock()) > 0:
            await asyncio.sleep(remaining_s)

    async def close(self) -> None:
        """Cancel the calls in progress."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _start[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        # Eager: the request is sent before the loop runs anything else.
        task = asyncio.Task(work, loop=self._loop, eager_start=True)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = self._broken or error

    async def _call(self, number: int, due_s: float, prepared: Prepared) -> None:
        """Send the first attempt, and the retry when Entra would, also while the first is in progress."""
        budget_ends_s = due_s + self._limits.budget_s
        retries: list[asyncio.Task[Attempt]] = []
        timer = None
        if self._limits.max_retries:
            timer = self._loop.call_later(
                max(0.0, budget_ends_s - self._clock()),
                lambda: retries.append(self._start(self._attempt(prepared, budget_ends_s))),
            )
        try:
            first = await self._attempt(prepared, due_s)
        finally:
            if timer is not None:
                timer.cancel()
        late = first.end_s > budget_ends_s
        if timer is not None and not retries and (late or first.failure in RETRIED):
            retries.append(self._start(self._attempt(prepared, budget_ends_s if late else first.end_s)))
        attempts = (first, *[await retry for retry in retries])
        self._take(Sample(number=number, due_s=due_s, prepared=prepared, attempts=attempts))

    async def _attempt(self, prepared: Prepared, due_s: float) -> Attempt:
        exchange = Exchange(self._session, self._clock, due_s)
        return await exchange.run(self._url, prepared.headers, prepared.body, self._limits.timeout_s)


@contextmanager
def _frozen_collector() -> Iterator[None]:
    """Exclude existing objects from garbage collection, because traversing them takes milliseconds."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

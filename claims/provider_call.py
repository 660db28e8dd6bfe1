"""The provider's work: bounded in time and number, and shared by the deliveries of one event.

A request waits for the work only as long as its budget lasts; then its answer leaves, whatever the work does. The work
itself goes on, because Entra calls once more with the same event: that second delivery joins the work under way, or
finds it done, instead of starting again. So a provider that takes 2.5 s costs the first attempt and not the sign-in,
and whatever it writes is written once. (Whether Entra repeats a call is its own rule: docs/timing-budget.md.)

The provider runs in a task of its own and is waited for, not awaited: one that swallows cancellation, or raises
``CancelledError`` itself, changes neither when the answer leaves nor that it leaves. (`asyncio.timeout` would wait for
such a provider for ever, and a ``CancelledError`` that leaves a Functions handler means that no response is sent.)
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from cachetools import TTLCache

from claims.contract import MAX_TIMEOUT_MS
from claims.errors import Overloaded, ProviderFailed, ProviderLate, Unavailable
from claims.event import TokenIssuanceStart
from claims.provider import Provider, ProviderContext
from claims.request_log import RequestRecord

#: What makes two deliveries the same event.
type EventKey = tuple[str | None, ...]

#: How long a second delivery may come after the first. Two attempts of Entra's fit in 4 s, with its pause between.
JOIN_S: Final = 10.0
#: Finished work that is remembered for a second delivery: 10 s of 400 sign-ins a second.
MAX_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One event's work under way, or done.

    Attributes:
        task: the provider's.
        end_s: when it is given up, on the monotonic clock.
    """

    task: asyncio.Task[Mapping[str, object]]
    end_s: float


class ProviderWork:
    """Runs the provider for events.

    Args:
        provider: knows the claims.
        budget_ms: what one delivery may wait.
        max_running: how many events are worked on at once; one more is refused at once, so that those under way stay
            in time.
        clock: monotonic seconds.
    """

    def __init__(self, provider: Provider, *, budget_ms: int, max_running: int, clock: Callable[[], float]) -> None:
        self._provider = provider
        self._max_running = max_running
        self._clock = clock
        # The second delivery comes when the first has timed out at the latest, and then waits for one budget.
        self._limit_s = (MAX_TIMEOUT_MS + budget_ms) / 1000
        self._shared: TTLCache[EventKey, Work] = TTLCache(MAX_REMEMBERED, ttl=JOIN_S, timer=clock)
        # asyncio holds tasks weakly; one that runs on past its request must stay until it ends.
        self._running: set[asyncio.Task[Mapping[str, object]]] = set()

    async def claims(self, event: TokenIssuanceStart, record: RequestRecord) -> Mapping[str, object]:
        """Give the provider's claims for an event, within what is left of the request's budget.

        Raises:
            ProviderLate: it did not finish in time; the work goes on for a second delivery.
            ProviderFailed: it raised. The detail names the exception and the line, never its message, which can hold
                what the provider was looking at.
            Overloaded: too many events are being worked on.
        """
        key = _key(event)
        work = self._shared.get(key)
        record.joined = work is not None
        if work is None:
            work = self._start(key, event, record)
        error: BaseException | None = None
        try:
            if not work.task.done():
                await asyncio.wait({work.task}, timeout=record.remaining_s())
            if not work.task.done():
                raise ProviderLate("provider_late", "the budget ran out")
            if work.task.cancelled():
                if self._clock() >= work.end_s:
                    raise ProviderLate("provider_late", f"given up after {self._limit_s:.1f} s")
                raise ProviderFailed("provider_cancelled", "it raised CancelledError")
            error = work.task.exception()
            if error is None:
                return work.task.result()
            if isinstance(error, Unavailable):
                raise error
            raise ProviderFailed("provider_error", _place(error)) from error
        finally:
            # Else the exception would refer to this frame and the frame to the exception, for the collector to part.
            del error, work

    async def aclose(self) -> None:
        """Cancel the work that is under way and wait for it."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, key: EventKey, event: TokenIssuanceStart, record: RequestRecord) -> Work:
        if len(self._running) >= self._max_running:
            raise Overloaded("overloaded", f"at most {self._max_running} events at once")
        end_s = self._clock() + self._limit_s
        context = ProviderContext(
            remaining_s=lambda: max(0.0, end_s - self._clock()),
            phase=record.phase,
            cache_hit=record.cache_hits.__setitem__,
        )
        # Started at once: a provider that has all at hand is done here, without a turn of the loop.
        task = asyncio.Task(self._provider.provide(event, context), loop=asyncio.get_running_loop(), eager_start=True)
        work = self._shared[key] = Work(task, end_s)
        try:
            if task.done():
                self._forget_failed(key, work)
            else:
                self._watch(key, work)
            return work
        finally:
            # A provider that failed already has this frame in its traceback: the frame must not hold the task.
            del task, work

    def _watch(self, key: EventKey, work: Work) -> None:
        # A timer and not `asyncio.timeout`: that would tie the task to its own frame, and only a full collection of
        # garbage would part them again.
        limit = asyncio.get_running_loop().call_later(self._limit_s, work.task.cancel)
        self._running.add(work.task)
        work.task.add_done_callback(lambda _: self._ended(key, work, limit))

    def _ended(self, key: EventKey, work: Work, limit: asyncio.TimerHandle) -> None:
        limit.cancel()
        self._running.discard(work.task)
        self._forget_failed(key, work)

    def _forget_failed(self, key: EventKey, work: Work) -> None:
        # A failure is no answer: a second delivery tries again. Asking for it also keeps the loop from logging it.
        if (work.task.cancelled() or work.task.exception()) and self._shared.get(key) is work:
            del self._shared[key]


def _key(event: TokenIssuanceStart) -> EventKey:
    context = event.context
    apps = (context.client_service_principal, context.resource_service_principal)
    return (
        context.correlation_id,
        event.listener_id,
        event.extension_id,
        context.user.id if context.user else None,
        *(app.app_id if app else None for app in apps),
    )


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"

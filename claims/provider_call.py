"""The call of the provider: bounded in time and number, and shared by the deliveries of one event.

A request waits for the call only as long as its budget lasts; then its answer leaves, whatever the provider does. The
call itself goes on, because Entra may call once more with the same event: that second delivery joins the call under
way, or finds its reply, instead of starting again. If Entra repeats, a provider that takes 2.5 s costs the first
attempt and not the sign-in, and its side effects happen once. Users report that Entra repeats after a timeout
(Microsoft Q&A 5617636); whether it does after the 503 at the end of our budget is not documented
(docs/timing-budget.md).

The provider runs in its own task, whose result is a value: the reply, or the failure. Whatever the provider
raises ends there, ``SystemExit`` and ``CancelledError`` included, and so does what it returns: only the finished reply
is shared and remembered, never an object that the provider could change afterwards.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from claims.contract import MAX_TIMEOUT_MS
from claims.errors import Overloaded, ProviderFailed, ProviderLate, Unavailable, own_path, place_of
from claims.event import TokenIssuanceStart
from claims.expiring import CallLater, ExpiringCache, call_later
from claims.measurements import Measurements
from claims.provider import Provider, ProviderContext, Starts, known_claim_names
from claims.reply import Reply, build_reply

#: What makes two deliveries the same event.
type EventKey = tuple[str | None, ...]
type Outcome = Reply | Unavailable

#: How long a finished reply is kept for a second delivery, in seconds. Entra's two attempts take up to 2 s each; how
#: long it waits between them is not documented.
JOIN_S: Final = 10.0
#: Finished replies kept for a second delivery: 10 s of 400 sign-ins a second.
MAX_JOIN_BYTES: Final = 12 * 1024 * 1024


class Delivery(NamedTuple):
    """What one delivery of an event gets.

    Attributes:
        outcome: The reply, or the failure.
        joined: Whether another delivery had started the call.
        look: The task that reads the user's last good claims from the shared store, begun shortly before the budget
            ends; its result is True if it found them. None if no such task was begun.
    """

    outcome: Outcome
    joined: bool
    look: asyncio.Task[bool] | None = None


class _Call:
    """One event's call of the provider, and the deliveries that wait for it.

    Its end wakes them directly. The callbacks of a finished task would do so two turns of the event loop later, each of
    which is a system call.
    """

    __slots__ = ("_waiting", "limit", "outcome", "task")

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self.task: asyncio.Task[None] | None = None
        self.limit: asyncio.TimerHandle | None = None
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self, timeout_s: float) -> None:
        """Wait for the end, or for this long."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        self._waiting.append(woken)
        timer = loop.call_later(timeout_s, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()

    def end(self, outcome: Outcome) -> None:
        """Record the outcome and wake every delivery."""
        self.outcome = outcome
        for woken in self._waiting:
            _wake(woken)
        if self.limit is not None:
            self.limit.cancel()


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


class ProviderCalls:
    """Calls the provider for events.

    Args:
        provider: Knows the claims.
        budget_ms: What one delivery may wait.
        max_running: Events that are worked on at once; one more is refused, so that those under way stay in time.
        clock: Monotonic seconds.
        later: Schedules the removal of old replies.
        on_reply: Called with each good reply when the provider is done with it, in time or late.
        on_slow: Called when a delivery's budget is about to end without a result; starts the task in `Delivery.look`.
        slow_s: How many seconds before the end of the budget.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        budget_ms: int,
        max_running: int,
        clock: Callable[[], float],
        later: CallLater = call_later,
        on_reply: Callable[[TokenIssuanceStart, Reply], None] = lambda _event, _reply: None,
        on_slow: Callable[[TokenIssuanceStart], asyncio.Task[bool] | None] | None = None,
        slow_s: float = 0.0,
    ) -> None:
        self._max_running = max_running
        self._clock = clock
        self._on_reply = on_reply
        self._on_slow = on_slow
        self._slow_s = slow_s if on_slow is not None else 0.0
        # Assumed: the second delivery comes no later than the first one's timeout, and then waits one budget.
        self._limit_s = (MAX_TIMEOUT_MS + budget_ms) / 1000
        self._done: ExpiringCache[EventKey, Reply] = ExpiringCache(
            MAX_JOIN_BYTES, size_bytes=Reply.held_bytes, clock=clock, later=later
        )
        self.use(provider)

    def use(self, provider: Provider) -> None:
        """Call this provider from now on, on a new event loop; calls on the old one cannot finish and are forgotten."""
        self._provider = provider
        self._known_names = known_claim_names(provider)
        self._started = not isinstance(provider, Starts)
        self._running: dict[EventKey, _Call] = {}

    def start(self) -> None:
        """Let the provider prepare itself on the running loop, unless it has done so."""
        if not self._started and isinstance(self._provider, Starts):
            self._provider.start()
        self._started = True

    async def deliver(self, event: TokenIssuanceStart, measured: Measurements) -> Delivery:
        """Return the provider's reply for an event, or the failure, within the request's budget."""
        key = _key(event)
        if reply := self._done.get(key):
            return Delivery(reply, joined=True)
        call = self._running.get(key)
        joined = call is not None
        if call is None:
            if len(self._running) >= self._max_running:
                return Delivery(Overloaded("overloaded", f"at most {self._max_running} events at once"), joined=False)
            call = self._begin(key, event, measured)
        look = None
        if call.outcome is None:
            await call.wait(max(0.0, measured.remaining_s() - self._slow_s))
            if self._on_slow is not None and call.outcome is None:
                look = self._on_slow(event)
                await call.wait(measured.remaining_s())
        if call.outcome is not None:
            return Delivery(call.outcome, joined, look)
        return Delivery(ProviderLate("provider_late", "the budget ran out"), joined, look)

    async def aclose(self) -> None:
        """Cancel the calls under way and wait for them."""
        tasks = [call.task for call in self._running.values() if call.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)

    def _begin(self, key: EventKey, event: TokenIssuanceStart, measured: Measurements) -> _Call:
        loop = asyncio.get_running_loop()
        end_s = self._clock() + self._limit_s
        call = _Call()
        # Started at once: a provider that has everything at hand is done here, without a turn of the loop.
        call.task = asyncio.Task(self._run(call, key, event, measured, end_s), loop=loop, eager_start=True)
        if call.outcome is None:
            self._running[key] = call
            # A timer and not `asyncio.timeout`, which waits for a provider that swallows the cancellation.
            call.limit = loop.call_later(self._limit_s, call.task.cancel)
        return call

    async def _run(
        self, call: _Call, key: EventKey, event: TokenIssuanceStart, measured: Measurements, end_s: float
    ) -> None:
        outcome: Outcome
        provided_s = None
        try:
            self.start()
            context = ProviderContext(
                lambda: max(0.0, end_s - self._clock()),
                measured.provider_phase,
                measured.cache_hit,
                measured.note_failing,
            )
            provided = await self._provider.provide(event, context)
            provided_s = self._clock()
            outcome = build_reply(provided, self._known_names)
            measured.add("reply", provided_s)
        except asyncio.CancelledError:
            outcome = ProviderFailed("provider_cancelled", "it raised CancelledError")
            if self._clock() >= end_s:
                outcome = ProviderLate("provider_late", f"given up after {self._limit_s:.1f} s")
        except BaseException as error:  # noqa: BLE001 (SystemExit would end the worker and every other sign-in with it)
            outcome = _failure(error, self._provider if provided_s is not None else None)
        call.end(outcome)
        self._running.pop(key, None)
        # A failure is no answer: a second delivery tries again.
        if isinstance(outcome, Reply):
            self._done.put(key, outcome, JOIN_S)
            self._on_reply(event, outcome)


def _key(event: TokenIssuanceStart) -> EventKey:
    context = event.context
    client, resource = context.client_service_principal, context.resource_service_principal
    return (
        context.correlation_id,
        event.listener_id,
        event.extension_id,
        context.user.id if context.user else None,
        client.app_id if client else None,
        resource.app_id if resource else None,
    )


def _failure(error: BaseException, returned_by: Provider | None = None) -> Unavailable:
    """Return why the provider failed, without the exception: its traceback holds what the provider was looking at.

    The code of a `ProviderFailed` is kept. Of anything else the type and the place are named, never the message.
    """
    if isinstance(error, Unavailable):
        try:
            code = getattr(returned_by and returned_by.provide, "__code__", None)
            path = own_path(code.co_filename) if code else ""  # none for a method that a library wrote
            place = f", from provide at {path}:{code.co_firstlineno}" if code and path else ""
            return ProviderFailed(error.code, f"{error.detail}{place}")
        except BaseException as odd:  # noqa: BLE001 (a subclass may compute both)
            error = odd
    return ProviderFailed("provider_error", place_of(error))

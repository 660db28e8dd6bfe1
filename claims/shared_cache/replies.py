"""Last good replies of all instances: written after the answer left, read when the provider failed or is nearly late.

The store is never needed. Whatever it does, a request goes on as if it were not there; after a failure it is left alone
for a while, and the log line of the next request says why, once until it works again.
"""

import asyncio
import importlib.util
import time
from collections.abc import Callable, Coroutine, Mapping
from itertools import islice
from typing import Any, Final

from claims.downstream.credentials import create_token_cache
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import SettingsError
from claims.expiring import CallLater, call_later
from claims.failure_policy import LOOK_S, GoodKey, LastGood
from claims.settings.credential import CREDENTIAL
from claims.settings.settings import Settings
from claims.settings.shared_cache import SHARED_CACHE, CacheAddress
from claims.shared_cache.store import (
    MAX_BODY_BYTES,
    MAX_VALUE_BYTES,
    WRITE_S,
    BackOff,
    Store,
    StoredReplyRefused,
    decode_value,
    encode_value,
    key_text,
)
from claims.wire.own_thread import in_own_thread

#: Between two writes of one unchanged reply, in seconds; half of ``Claims__StaleSeconds`` where that is shorter.
REWRITE_S: Final = 300.0
#: How long a reply waits to be written, in seconds, so that the answer is sent first and several replies are written in
#: one batch.
WRITE_PAUSE_S: Final = 0.02
#: Replies that wait; of more the oldest are dropped.
MAX_WAITING: Final = 1000
#: Replies that are written in one go.
BATCH: Final = 100
#: Source: Azure Managed Redis, "Use Microsoft Entra for cache authentication".
REDIS_SCOPE: Final = "https://redis.azure.com/.default"


class SharedReplies:
    """A `claims.failure_policy.SharedMemory` over a store.

    Args:
        connect: Makes the store; called on each event loop.
        tenant_id: Part of every key, because deployments may share one store.
        stale_s: How long a reply is kept from the time when it was made.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch.
        later: Schedules the writes.
    """

    def __init__(
        self,
        connect: Callable[[], Coroutine[Any, Any, Store]],
        *,
        tenant_id: str,
        stale_s: float,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        later: CallLater = call_later,
    ) -> None:
        self._connect = connect
        self._tenant_id = tenant_id
        self._stale_s = stale_s
        self._rewrite_s = min(REWRITE_S, stale_s / 2)
        self._clock = clock
        self._wall_clock = wall_clock
        self._later = later
        self._waiting: dict[GoodKey, LastGood] = {}
        # A full store can still be read.
        self._reading, self._writing = BackOff(clock), BackOff(clock)
        self._begin()

    def _begin(self) -> None:
        """Forget what belongs to an event loop that has ended."""
        self._store: asyncio.Task[Store] | None = None
        self._reads: dict[GoodKey, asyncio.Task[bool]] = {}
        self._writer: asyncio.Task[None] | None = None
        self._scheduled = False

    def start(self) -> None:
        """Begin on the running loop: import the client, connect, and write what waits."""
        self._begin()
        self._write_now()

    def news(self) -> str:
        """Return why the store is not used, if no line has said so yet."""
        return self._reading.news() or self._writing.news()

    def offer(self, key: GoodKey, good: LastGood, before: LastGood | None) -> None:
        """Let a reply wait to be written, unless the store has it; see `SharedMemory`."""
        if before is not None and before.reply.body == good.reply.body:
            good.written_s = before.written_s
        if self._clock() - good.written_s < self._rewrite_s or len(good.reply.body) > MAX_BODY_BYTES:
            return
        if self._waiting.pop(key, None) is None and len(self._waiting) >= MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[key] = good
        if not self._scheduled:
            self._schedule(WRITE_PAUSE_S)

    def read(self, key: GoodKey, found: Callable[[LastGood], None]) -> asyncio.Task[bool] | None:
        """Begin to read, or join the read of the same key; see `SharedMemory`."""
        read = self._reads.get(key)
        if read is None and self._reading.is_over():
            read = self._reads[key] = asyncio.get_running_loop().create_task(self._read(key, found))
            read.add_done_callback(lambda _: self._reads.pop(key))
        return read

    async def aclose(self) -> None:
        """Close the connections; what waits is dropped."""
        store, tasks = self._store, [task for task in (self._writer, *self._reads.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if store is not None:
            await asyncio.wait({store})
            if not store.exception():
                await store.result().aclose()

    async def _open(self) -> Store:
        """Return the store; those that come while it is made wait for it together."""
        if self._store is None or (self._store.done() and self._store.exception()):
            self._store = asyncio.get_running_loop().create_task(self._connect())
        return await asyncio.shield(self._store)

    async def _read(self, key: GoodKey, found: Callable[[LastGood], None]) -> bool:
        name = key_text(self._tenant_id, key)
        try:
            # A young instance still imports the client: its requests wait within their budgets, and nothing has failed.
            store = await self._open()
            async with asyncio.timeout(LOOK_S):
                value = await store.get(name, MAX_VALUE_BYTES + 1)
            if value:
                now_s = self._wall_clock()
                reply, made_s = decode_value(name, value, now_s=now_s, stale_s=self._stale_s)
                found(LastGood(reply, made_s, written_s=self._clock() - (now_s - made_s)))
        except StoredReplyRefused as refused:  # one value of many: the others may be good
            self._reading.say(f"a stored reply is refused: {refused}")
            return False
        except Exception as error:  # noqa: BLE001 (whatever it is, the store is as if it were not there)
            self._reading.failed(error)
            return False
        self._reading.works()
        return bool(value)

    def _schedule(self, delay_s: float) -> None:
        self._scheduled = True
        self._later(delay_s, self._write_now)

    def _write_now(self) -> None:
        self._scheduled = True
        self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """Write what waits, in batches, until nothing does or the store fails."""
        try:
            async with asyncio.timeout(WRITE_S):
                store = await self._open()
            await self._put(store)
            while self._waiting:
                await self._put(store)
        except Exception as error:  # noqa: BLE001 (as above)
            self._writing.failed(error)
            oldest_s = self._wall_clock() - self._stale_s  # forgotten on time, whether the store comes back or not
            self._waiting = {key: good for key, good in self._waiting.items() if good.made_s > oldest_s}
        else:
            self._writing.works()
        self._scheduled = False
        if self._waiting:
            self._schedule(self._writing.left_s())

    async def _put(self, store: Store) -> None:
        batch, now_s, entries = list(islice(self._waiting.items(), BATCH)), self._wall_clock(), []
        for key, good in batch:
            name, left_ms = key_text(self._tenant_id, key), int((good.made_s + self._stale_s - now_s) * 1000)
            if left_ms > 0:
                entries.append((name, encode_value(name, good), left_ms))
        async with asyncio.timeout(WRITE_S):
            await store.put(entries)
        for key, good in batch:
            newest = self._waiting.get(key)
            if newest is not None and newest.reply.body == good.reply.body:
                del self._waiting[key]
                newest.written_s = self._clock()


def create_shared_replies(settings: Settings, address: CacheAddress, environ: Mapping[str, str]) -> SharedReplies:
    """Create the shared memory; it imports its client and connects when it is started.

    The token comes from the endpoint's own cache for downstream tokens, which fetches it ahead of time and reports
    failures. ``redis-entraid`` would bring a second one, with its own settings, threads and time limits.

    Raises:
        SettingsError: The client is not installed.
    """
    if importlib.util.find_spec("redis") is None:
        problem = f"{SHARED_CACHE} needs the Python package 'redis', which is not installed: see docs/settings.md"
        raise SettingsError((problem,))

    async def connect() -> Store:
        with_identity = address.tls and address.credential == "managed-identity"
        # Its background work belongs to one event loop, as the store's connections do.
        tokens = create_token_cache(REDIS_SCOPE, {**environ, CREDENTIAL: address.credential}) if with_identity else None
        if tokens is not None:
            tokens.start()
        return await in_own_thread(_create_store, address, tokens)

    return SharedReplies(
        connect,
        tenant_id=settings.tenant_id,
        stale_s=settings.stale_s,
        clock=time.monotonic,
        wall_clock=time.time,
    )


def _create_store(address: CacheAddress, tokens: DownstreamTokenCache | None) -> Store:
    from claims.shared_cache.redis_store import RedisStore  # noqa: PLC0415 (takes 150 ms, here in a thread)

    return RedisStore(address, tokens)

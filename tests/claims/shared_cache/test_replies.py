"""Last good replies of all instances: what is written when, what is read, and a store that breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count

import pytest

from claims.failure_policy import LOOK_S, LastGood
from claims.reply import Reply, build_reply
from claims.shared_cache.replies import BATCH, MAX_WAITING, REWRITE_S, WRITE_PAUSE_S, SharedReplies
from claims.shared_cache.store import MAX_BODY_BYTES, encode_value, key_text
from tests.claims.site import NOW_S, TENANT_ID, Clock, settle

KEY = ("user", "extension", "client", "resource")
NAME = key_text(TENANT_ID, KEY)
FIRST, SECOND = build_reply({"a": "1"}), build_reply({"a": "2"})


class MemoryStore:
    """A store in memory, which counts, and fails or stalls on demand."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.ttls_ms: dict[str, int] = {}
        self.puts: list[int] = []
        self.gets = 0
        self.closed = False
        self.fails_put: Exception | None = None
        self.fails_get: Exception | None = None
        self.stall: asyncio.Event | None = None

    async def get(self, key: str, max_bytes: int) -> bytes:
        """Return the beginning of a value."""
        self.gets += 1
        if self.stall:
            await self.stall.wait()
        if self.fails_get:
            raise self.fails_get
        return self.values.get(key, b"")[:max_bytes]

    async def put(self, entries: Sequence[tuple[str, bytes, int]]) -> None:
        """Keep values."""
        if self.stall:
            await self.stall.wait()
        if self.fails_put:
            raise self.fails_put
        self.puts.append(len(entries))
        for key, value, ttl_ms in entries:
            self.values[key], self.ttls_ms[key] = value, ttl_ms

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


class Shared(SharedReplies):
    """With a store in memory and a clock."""

    def __init__(self, clock: Clock, stale_s: float = 3600) -> None:
        self.store = MemoryStore()
        self.refuses = 0
        self.clock = clock
        super().__init__(
            self._made,
            tenant_id=TENANT_ID,
            stale_s=stale_s,
            clock=clock,
            wall_clock=self.wall_clock,
            later=clock.later,
        )

    def wall_clock(self) -> float:
        """Return seconds since the epoch that pass with the clock."""
        return NOW_S + self.clock.now_s - 1000

    async def _made(self) -> MemoryStore:
        if self.refuses:
            self.refuses -= 1
            raise ConnectionError
        return self.store

    def good(self, reply: Reply = FIRST, age_s: float = 0) -> LastGood:
        """Return a reply made so long ago."""
        return LastGood(reply, self.wall_clock() - age_s)

    async def read_all(self) -> list[LastGood]:
        """Return what a read of the one key finds."""
        found: list[LastGood] = []
        read = self.read(KEY, found.append)
        assert read is not None
        assert await read is bool(found)
        return found


@pytest.fixture
async def make(clock: Clock) -> AsyncIterator[Callable[..., Shared]]:
    """Return what makes and starts shared replies."""
    made: list[Shared] = []

    def start(stale_s: float = 3600) -> Shared:
        made.append(Shared(clock, stale_s))
        made[-1].start()
        return made[-1]

    yield start
    for shared in made:
        await shared.aclose()


@pytest.fixture
async def shared(make: Callable[..., Shared]) -> Shared:
    """Return shared replies whose store is there."""
    made = make()
    await settle()
    assert made.store.puts == [0]  # it was asked whether it is there
    made.store.puts.clear()
    return made


async def test_a_reply_is_written_after_the_answer(shared: Shared, clock: Clock) -> None:
    """Not while the request runs; with the rest of its time as expiry."""
    shared.offer(KEY, shared.good(age_s=100), None)
    assert not shared.store.values
    await clock.tick(WRITE_PAUSE_S)
    assert shared.store.values == {NAME: encode_value(NAME, LastGood(FIRST, NOW_S - 100))}
    assert 3499_000 <= shared.store.ttls_ms[NAME] <= 3500_000


async def test_an_unchanged_reply_is_written_once_in_five_minutes(shared: Shared, clock: Clock) -> None:
    """However often the user signs in."""
    before = None
    for _ in range(int(2 * REWRITE_S)):
        good = shared.good()
        shared.offer(KEY, good, before)
        before = good
        await clock.tick(1)
    assert shared.store.puts == [1, 1]


async def test_a_changed_reply_is_written_at_once(shared: Shared, clock: Clock) -> None:
    """A right that was withdrawn must not come back."""
    first, second = shared.good(), shared.good(SECOND)
    shared.offer(KEY, first, None)
    await clock.tick(1)
    shared.offer(KEY, second, first)
    await clock.tick(1)
    assert shared.store.puts == [1, 1]
    assert [found.reply for found in await shared.read_all()] == [SECOND]


async def test_a_short_time_is_renewed_at_its_half(make: Callable[..., Shared], clock: Clock) -> None:
    """Or an entry would end before it may be written again."""
    shared = make(60)
    first = shared.good()
    shared.offer(KEY, first, None)
    await clock.tick(1)
    await clock.tick(30)
    second = shared.good()
    shared.offer(KEY, second, first)
    await clock.tick(1)
    assert shared.store.puts == [1, 1]


async def test_many_are_written_together(shared: Shared, clock: Clock) -> None:
    """And of more than may wait, the oldest are dropped."""
    for number in range(MAX_WAITING + 1):
        shared.offer((str(number),), shared.good(), None)
    shared.offer(("1",), shared.good(SECOND), None)  # it moves to the end
    await clock.tick(1)
    assert shared.store.puts == [BATCH] * (MAX_WAITING // BATCH)
    assert key_text(TENANT_ID, ("0",)) not in shared.store.values
    assert b'"2"' in shared.store.values[key_text(TENANT_ID, ("1",))]


async def test_a_reply_that_is_too_long_is_not_kept(shared: Shared, clock: Clock) -> None:
    """It could not be read again; the longest that is kept can."""
    shared.offer(KEY, shared.good(build_reply({"a": [""] * 10_900})), None)
    await clock.tick(1)
    assert shared.store.puts == []
    longest = build_reply({"a": [""] * 10_600})
    assert MAX_BODY_BYTES - 500 < len(longest.body) <= MAX_BODY_BYTES
    shared.offer(KEY, shared.good(longest), None)
    await clock.tick(1)
    assert [found.reply for found in await shared.read_all()] == [longest]


async def test_a_newer_reply_during_a_write_is_written_too(shared: Shared, clock: Clock) -> None:
    """The first of them does not count for it."""
    shared.store.stall = asyncio.Event()
    shared.offer(KEY, shared.good(), None)
    await clock.tick(1)
    shared.offer(KEY, shared.good(SECOND), None)
    shared.store.stall.set()
    await clock.tick(1)
    assert b'"2"' in shared.store.values[NAME]


async def test_reads_of_one_key_are_one(shared: Shared) -> None:
    """Both deliveries of an event, and all others of this user."""
    shared.store.values[NAME] = encode_value(NAME, shared.good(age_s=100))
    shared.store.stall = asyncio.Event()
    found: list[LastGood] = []
    first, second = shared.read(KEY, found.append), shared.read(KEY, found.append)
    assert first is second
    assert first is not None
    shared.store.stall.set()
    assert await first
    assert shared.store.gets == 1
    assert [(one.reply, one.made_s) for one in found] == [(FIRST, NOW_S - 100)]
    # What is read is unchanged for the rest of its five minutes.
    shared.offer(KEY, shared.good(), found[0])
    assert not shared._waiting


async def test_nothing_is_found(shared: Shared) -> None:
    """A user who is new, which is no failure."""
    assert await shared.read_all() == []
    assert shared.news() == ""


async def test_a_hostile_value_is_refused_and_said(shared: Shared) -> None:
    """Other users' values are still read."""
    shared.store.values[NAME] = b"{" * 40_000
    assert await shared.read_all() == []
    assert shared.news().startswith("a stored reply is refused: it is longer")
    shared.store.values[NAME] = encode_value(NAME, shared.good())
    assert await shared.read_all()


async def test_a_store_that_does_not_answer_is_left_alone(shared: Shared, clock: Clock) -> None:
    """A read ends after 0.2 s; the next one is tried after a second."""
    shared.store.stall = asyncio.Event()
    began_s = asyncio.get_running_loop().time()
    async with asyncio.timeout(20):
        assert await shared.read_all() == []
    assert asyncio.get_running_loop().time() - began_s >= LOOK_S
    assert shared.news().startswith("TimeoutError")
    assert shared.read(KEY, print) is None
    shared.store.stall.set()
    await clock.tick(1)
    shared.store.values[NAME] = encode_value(NAME, shared.good())
    assert await shared.read_all()
    assert shared.news() == ""


async def test_a_full_store_can_still_be_read(shared: Shared, clock: Clock) -> None:
    """Writes wait and are tried again; what became too old meanwhile is forgotten."""
    shared.store.values[NAME] = encode_value(NAME, shared.good())
    shared.store.fails_put = MemoryError()
    shared.offer(KEY, shared.good(SECOND), None)
    shared.offer(("old",), shared.good(age_s=3590), None)
    await clock.tick(1)
    assert shared.news() == "MemoryError"
    assert await shared.read_all()
    await clock.tick(60)
    assert shared.news() == ""  # once
    assert [*shared._waiting] == [KEY]
    shared.store.fails_put = None
    await clock.tick(60)
    assert b'"2"' in shared.store.values[NAME]


async def test_a_store_that_cannot_be_made_is_made_later(make: Callable[..., Shared], clock: Clock) -> None:
    """Its client may need a token that is not there yet."""
    shared = make()
    shared.refuses = 2
    shared.offer(KEY, shared.good(), None)
    await settle()
    assert shared.news() == "ConnectionError"
    assert await shared.read_all() == []
    await clock.tick(10)
    assert NAME in shared.store.values
    assert await shared.read_all()
    shared.start()  # on another loop
    assert await shared.read_all()


async def test_close_waits_for_what_is_under_way(make: Callable[..., Shared]) -> None:
    """Nothing runs on, and the store is closed."""
    shared = make()
    shared.store.stall = asyncio.Event()
    read = shared.read(KEY, print)
    await settle()
    await shared.aclose()
    assert read is not None
    assert read.cancelled()
    assert shared.store.closed
    failing = make()
    failing.refuses = 1
    await settle()
    await failing.aclose()
    assert not failing.store.closed
    await Shared(Clock()).aclose()


def test_each_loop_connects_anew() -> None:
    """Connections belong to one loop; what waits is kept."""
    shared = Shared(Clock())
    for loop in count(1):
        if loop == 3:
            break
        shared.store.puts.clear()
        shared.offer(KEY, shared.good(), None)

        async def one() -> None:
            shared.start()
            await settle()

        asyncio.run(one())
        assert sum(shared.store.puts) == 1

"""A cache that forgets on time."""

import asyncio
import gc
import weakref

from claims.expiring import SWEEP_S, ExpiringCache
from tests.claims.site import Clock


class _Value:
    """What a weak reference can watch."""

    def __init__(self, size: int = 1) -> None:
        self.size = size


def _cache(clock: Clock, max_bytes: int = 100) -> ExpiringCache[str, _Value]:
    return ExpiringCache(max_bytes, size_bytes=lambda value: value.size, clock=clock, later=clock.later)


def test_value_is_kept_until_its_time(clock: Clock) -> None:
    """It is there, and then it is not, whoever asks."""
    cache, value = _cache(clock), _Value()
    cache.put("a", value, 60)
    clock.advance(59.9)
    assert cache.get("a") is value
    clock.advance(0.1)
    assert cache.get("a") is None


def test_value_leaves_the_memory_though_nobody_asks(clock: Clock) -> None:
    """A timer removes it, at most one sweep after its time, and stops when nothing is left."""
    cache, value = _cache(clock), _Value()
    watched = weakref.ref(value)
    cache.put("a", value, 60)
    del value
    clock.advance(60 + SWEEP_S)
    gc.collect()
    assert watched() is None
    assert not clock._timers


def test_timer_begins_again(clock: Clock) -> None:
    """After a pause in which nothing was kept, the next value is removed on time, too."""
    cache = _cache(clock)
    for _ in range(3):
        value = _Value()
        watched = weakref.ref(value)
        cache.put("a", value, 5)
        del value
        clock.advance(5 + SWEEP_S)
        gc.collect()
        assert watched() is None


def test_size_is_bounded(clock: Clock) -> None:
    """The least recently used values make room; one that is larger than everything is not kept."""
    cache = _cache(clock)
    cache.put("first", _Value(40), 60)
    cache.put("second", _Value(40), 60)
    assert cache.get("first")
    cache.put("third", _Value(40), 60)
    assert (cache.get("second"), bool(cache.get("first")), bool(cache.get("third"))) == (None, True, True)
    cache.put("huge", _Value(101), 60)
    assert cache.get("huge") is None


def test_timer_of_a_loop_that_ended_is_replaced(clock: Clock) -> None:
    """On another loop a timer is set again, so that values do not stay for ever."""
    cache: ExpiringCache[str, _Value] = ExpiringCache(100, size_bytes=lambda value: value.size, clock=clock)

    async def put() -> None:
        cache.put("a", _Value(), 5)

    asyncio.run(put())
    clock.now_s += 2 * SWEEP_S
    timers: list[float] = []

    async def put_again() -> None:
        cache._later = lambda delay_s, _function: timers.append(delay_s)
        cache.put("b", _Value(), 5)

    asyncio.run(put_again())
    assert timers == [SWEEP_S]

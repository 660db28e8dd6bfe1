"""Whoever blocks the event loop is seen."""

from claims.loop_watch import STALL_S, TICK_S, LoopWatch
from tests.claims.site import Clock


def _watching(clock: Clock) -> LoopWatch:
    watch = LoopWatch(clock=clock, later=clock.later)
    watch.start()
    return watch


def _block(clock: Clock, seconds: float) -> None:
    """Let time pass in which no timer can fire."""
    clock.now_s += seconds


def test_quiet_loop_has_no_stall(clock: Clock) -> None:
    """Timers that fire on time, or a little late, are no stall."""
    watch = _watching(clock)
    clock.advance(5)
    _block(clock, STALL_S)
    assert watch.stalled_ms(clock() - 5) == 0


def test_stall_is_seen_by_who_blocks(clock: Clock) -> None:
    """The request that blocks the loop writes its line before any timer can fire: it sees the stall all the same."""
    watch = _watching(clock)
    begin_s = clock()
    _block(clock, 0.3)
    assert 250 <= watch.stalled_ms(begin_s) <= 300


def test_stall_is_seen_by_who_waits(clock: Clock) -> None:
    """A request that began before it, or arrived while it lasted, was held up; one that came later was not."""
    watch = _watching(clock)
    before_s = clock()
    _block(clock, 0.3)
    clock.advance(0)
    arrived_s = clock()
    clock.advance(2 * TICK_S)
    assert watch.stalled_ms(before_s) == watch.stalled_ms(arrived_s) > 250
    assert watch.stalled_ms(clock()) == 0


def test_stalls_add_up(clock: Clock) -> None:
    """Three blocks of 100 ms cost 300 ms, less what each began before the timer was due."""
    watch = _watching(clock)
    begin_s = clock()
    for _ in range(3):
        _block(clock, 0.1)
        clock.advance(TICK_S)
    assert 240 <= watch.stalled_ms(begin_s) <= 300


def test_watch_can_be_moved_and_stopped(clock: Clock) -> None:
    """On another loop the old timer is left alone; a stopped watch sees nothing."""
    watch = _watching(clock)
    watch.start()
    clock.advance(1)
    assert len(clock._timers) == 1
    watch.stop()
    _block(clock, 1)
    assert watch.stalled_ms(0) == 0
    clock.advance(1)
    assert not clock._timers

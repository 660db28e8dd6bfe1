"""The record of one request."""

import logging

import pytest

from claims.request_log import RequestRecord
from tests.claims.site import Clock


def _record(clock: Clock) -> RequestRecord:
    return RequestRecord(budget_ms=1500, clock=clock, cold=False)


def test_blocks_of_one_phase_add_up(clock: Clock) -> None:
    """One after the other they add, and the phases keep the order in which they began."""
    record = _record(clock)
    for spent_s in (1, 2):
        with record.phase("downstream_call"):
            clock.now_s += spent_s
        with record.phase("body"):
            clock.now_s += 0.5
    assert list(record.phases_ms().items()) == [("downstream_call", 3000), ("body", 1000)]


def test_overlapping_blocks_count_once(clock: Clock) -> None:
    """Two calls at the same time take the time that both took, not the sum."""
    record = _record(clock)
    first, second = record.phase("downstream_call"), record.phase("downstream_call")
    first.__enter__()
    clock.now_s += 1
    second.__enter__()
    clock.now_s += 1
    first.__exit__(None, None, None)
    clock.now_s += 1
    second.__exit__(None, None, None)
    assert record.phases_ms() == {"downstream_call": 3000}


def test_phase_that_goes_on_is_shown(clock: Clock) -> None:
    """A late answer's line shows the call that it waited for."""
    record = _record(clock)
    with record.phase("provider"), record.phase("downstream_call"):
        clock.now_s += 1.5
        assert record.phases_ms() == {"provider": 1500, "downstream_call": 1500}
        record.write(status=503, outcome="provider_late")
        assert "downstream_call;dur=1500.00" in record.server_timing()


def test_a_level_that_is_off_costs_no_line(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Who switches the good lines off still has the timings, and still reads of what went wrong."""
    caplog.set_level(logging.WARNING, "claims.request")
    record = _record(clock)
    record.write(status=200, outcome="claims")
    assert (caplog.messages, set(record.timings_ms)) == ([], {"total"})
    record.write(status=503, outcome="provider_late")
    assert len(caplog.messages) == 1

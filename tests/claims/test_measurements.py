"""What one request measures."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.measurements import (
    MAX_NAME_CHARACTERS,
    MAX_NAMES,
    MAX_NOTES,
    OTHER,
    PROVIDER,
    Measurements,
    safe_name,
)
from tests.claims.site import Clock


def _measurements(clock: Clock) -> Measurements:
    return Measurements(budget_ms=1500, clock=clock)


def _phases(measured: Measurements) -> dict[str, float]:
    return measured.timings().phases_ms()


def test_blocks_of_one_phase_add_up(clock: Clock) -> None:
    """One after the other they add, and the phases keep the order in which they began."""
    measured = _measurements(clock)
    for spent_s in (1, 2):
        with measured.phase("downstream_call"):
            clock.now_s += spent_s
        with measured.phase("body"):
            clock.now_s += 0.5
    timings = measured.timings()
    assert (timings.total_ms, list(timings.phases_ms().items())) == (4000, [("downstream_call", 3000), ("body", 1000)])
    assert json.loads(f"{{{timings.phases_json}}}") == timings.phases_ms()


def test_a_step_lasts_until_the_next(clock: Clock) -> None:
    """The endpoint's own phases follow one another, and what a provider measures in one of them is added."""
    measured = _measurements(clock)
    for name in ("token", "keys", "token", PROVIDER):
        measured.begin(name)
        clock.now_s += 1
    with measured.provider_phase("token"), measured.provider_phase(PROVIDER):
        clock.now_s += 0.5
    measured.add("keys", clock.now_s - 0.25)
    measured.end()
    clock.now_s += 1
    assert list(_phases(measured).items()) == [("token", 2500), ("keys", 1250), (PROVIDER, 1500), (OTHER, 500)]
    assert measured.timings().total_ms == 5500


def test_overlapping_blocks_count_once(clock: Clock) -> None:
    """Two calls at the same time take the time that both took, not the sum."""
    measured = _measurements(clock)
    first, second = measured.phase("downstream_call"), measured.phase("downstream_call")
    first.__enter__()
    clock.now_s += 1
    second.__enter__()
    clock.now_s += 1
    first.__exit__(None, None, None)
    clock.now_s += 1
    second.__exit__(None, None, None)
    assert _phases(measured) == {"downstream_call": 3000}


def test_phase_that_goes_on_is_shown(clock: Clock) -> None:
    """A late answer's line shows the call that it waited for."""
    measured = _measurements(clock)
    measured.begin("provider")
    with measured.provider_phase("downstream_call"):
        clock.now_s += 1.5
        assert _phases(measured) == {"provider": 1500, "downstream_call": 1500}
        assert measured.remaining_s() == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("database", "database"),
        ("my phase;dur=0", "my_phase_dur_0"),
        ("é" * 40, "_" * 32),
        ("", OTHER),
        ("total", OTHER),
        ("provider", OTHER),
        (None, OTHER),
        (["a"], OTHER),
    ],
)
def test_any_name_is_measured(name: object, shown: str, clock: Clock) -> None:
    """A provider's phase may have any name; what is shown is a token of HTTP."""
    measured = _measurements(clock)
    with measured.provider_phase(name):
        clock.now_s += 1
    measured.cache_hit(name, hit=True)
    assert _phases(measured) == {shown: 1000}
    assert measured.cache_hits == {shown: True}


def test_names_are_few(clock: Clock) -> None:
    """However many names a provider makes up, the line stays short, and no time is lost."""
    measured = _measurements(clock)
    for number in range(1000):
        with measured.provider_phase(f"user {number}"):
            clock.now_s += 0.001
        measured.cache_hit(f"user {number}", hit=False)
    with measured.phase("reply"):
        pass
    phases = _phases(measured)
    assert (len(phases), len(measured.cache_hits)) == (MAX_NAMES + 1, MAX_NAMES)
    assert sum(phases.values()) == pytest.approx(1000, abs=1)
    assert phases[OTHER] > 900


@given(st.one_of(st.text(), st.integers(), st.binary(), st.none()))
def test_safe_names_are_tokens(name: object) -> None:
    """Whatever the name, what is shown is short and needs no quotes."""
    shown = safe_name(name)
    assert len(shown) <= MAX_NAME_CHARACTERS
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", shown)


def test_failures_in_the_background_are_few(clock: Clock) -> None:
    """A provider fills no line with them."""
    measured = _measurements(clock)
    for number in range(MAX_NOTES + 2):
        measured.note_failing(f"token {number}", "why")
    assert list(measured.failing.items()) == [("token_0", "why"), ("token_1", "why")]

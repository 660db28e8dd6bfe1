"""Server-Timing, which may be malformed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftest.load.phases import INSIDE, OUTSIDE, parts_ms, server_timing_ms


def read(*values: str) -> dict[str, float]:
    """Return the phases of headers with these values."""
    return server_timing_ms([("server-timing", value) for value in values])


def test_what_this_project_s_endpoint_sends() -> None:
    """Names and durations, in their order; several headers are one list."""
    assert read("token;dur=0.05, keys;dur=0.00", "total;dur=1.25") == {"token": 0.05, "keys": 0.0, "total": 1.25}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('db;desc="a, b";dur=3', {}),
        ('cache;desc=hit;dur="2.5"', {"cache": 2.5}),
        ("a;DUR=1", {"a": 1.0}),
        ("a;dur=1, a;dur=2", {"a": 1.0}),
        ("a", {}),
        ("a;dur=-1", {}),
        ("a;dur=nan, b;dur=inf, c;dur=1e9, d;dur=", {}),
        ("<script>;dur=1", {}),
        ("a;dur=99999999999", {}),
        (f"{'x' * 41};dur=1", {}),
        ("", {}),
        (",,;;==", {}),
    ],
)
def test_what_is_no_phase_is_passed_over(value: str, found: dict[str, float]) -> None:
    """Anything else in the header is ignored."""
    assert read(value) == found


def test_phases_of_any_name_are_read() -> None:
    """A provider's phases have any names: sixteen of 32 token characters, and the rest as ``other``."""
    names = [f"{number:02d}!#$%&'*+-.^_`|~db-Read.Users.Q"[:32] for number in range(16)]
    header = ", ".join(f"{name};dur=1.00" for name in (*names, "other", "token", "keys", "body", "provider", "total"))
    assert len(read(header)) == 22
    assert set(names) < read(header).keys()


def test_a_provider_s_own_phases_are_within_its_time() -> None:
    """Phases that the provider measures are not counted twice, and others are not subtracted from it."""
    parts = parts_ms({"token": 1.0, "provider": 6.0, "database": 4.0, "total": 7.5}, 10.0)
    assert parts == {"token": 1.0, "provider": 2.0, "database": 4.0, INSIDE: 0.5, OUTSIDE: 2.5}
    beside = parts_ms({"auth": 1.0, "provider": 6.0, "total": 7.5}, 10.0)
    assert beside == {"auth": 1.0, "provider": 6.0, INSIDE: 0.5, OUTSIDE: 2.5}


def test_there_is_a_limit_to_what_is_read() -> None:
    """The number of phases is limited."""
    assert len(read(",".join(f"p{number};dur=1" for number in range(5000)))) == 24


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    """Any header is accepted."""
    for name in read(text):
        assert 0 < len(name) <= 40


def test_the_parts_add_up_to_the_latency() -> None:
    """Phases, the rest of the endpoint, and network and host."""
    parts = parts_ms({"token": 1.0, "provider": 5.0, "downstream_call": 4.0, "total": 7.0}, 10.0)
    assert parts == {"token": 1.0, "provider": 1.0, "downstream_call": 4.0, INSIDE: 1.0, OUTSIDE: 3.0}
    assert sum(parts.values()) == pytest.approx(10.0)


def test_without_a_total_it_is_the_sum() -> None:
    """An endpoint that reports no total has its phases added up."""
    assert parts_ms({"db": 4.0}, 10.0) == {"db": 4.0, OUTSIDE: 6.0}
    assert parts_ms({}, 10.0) == {}


def test_a_lie_gives_no_negative_time() -> None:
    """Phases that are longer than the call give no negative times."""
    assert parts_ms({"db": 40.0, "total": 50.0, OUTSIDE: 3.0}, 10.0) == {"db": 40.0, INSIDE: 10.0, OUTSIDE: 0.0}

"""What is accepted of a token, when it is refreshed, when it is no longer sent, how long to back off."""

import math
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.downstream.issued_token import (
    LAST_BACK_OFF_S,
    MAX_RETRY_AFTER_S,
    REFRESH_BEFORE_EXPIRY_S,
    DownstreamToken,
    TokenFetchError,
    back_off_s,
    checked,
    refresh_in_s,
    usable_s,
)

NOW_S = 1_800_000_000.0
HOUR_S = 3600.0


def _token(life_s: float, refresh_after_s: float | None = None) -> DownstreamToken:
    return DownstreamToken("t", NOW_S + life_s, None if refresh_after_s is None else NOW_S + refresh_after_s)


@pytest.mark.parametrize(
    ("life_s", "refresh_after_s", "expected_s"),
    [
        (HOUR_S, None, HOUR_S - 300),  # 5 minutes before the end
        (24 * HOUR_S, 12 * HOUR_S, 12 * HOUR_S),  # when the issuer says
        (HOUR_S, HOUR_S, HOUR_S - 300),  # never later than 5 minutes before the end
        (400.0, None, 200.0),  # a short token at half its life
        (400.0, 390.0, 200.0),  # whatever its issuer says
        (HOUR_S, -5.0, 60.0),  # an issuer that wants it back at once waits a minute
        (20.0, 0.0, 10.0),  # or half its life
    ],
)
def test_refresh(life_s: float, refresh_after_s: float | None, expected_s: float) -> None:
    """Each rule at work, without jitter."""
    assert refresh_in_s(_token(life_s, refresh_after_s), NOW_S, 0) == expected_s


@given(
    life_s=st.floats(1, 1e6),
    refresh_after_s=st.none() | st.floats(-1e6, 2e6),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_refresh_is_in_time(life_s: float, refresh_after_s: float | None, jitter: float) -> None:
    """Whatever the issuer says, the refresh comes while the token is good, with 5 minutes or half its life to spare."""
    token = _token(life_s, refresh_after_s)
    refresh_s = refresh_in_s(token, NOW_S, jitter)
    assert 0 < refresh_s < usable_s(token, NOW_S)
    assert refresh_s <= max(life_s / 2, life_s - REFRESH_BEFORE_EXPIRY_S) + 1e-6


@pytest.mark.parametrize(
    ("life_s", "expected_s"), [(HOUR_S, HOUR_S - 5), (20.0, 18.0), (0.0, 0.0), (-10.0, pytest.approx(-9.0))]
)
def test_usable(life_s: float, expected_s: float) -> None:
    """A token is not sent in its last 5 seconds, or its last tenth, and never after its end."""
    assert usable_s(_token(life_s), NOW_S) == expected_s


def test_back_off_doubles() -> None:
    """1, 2, 4 … 10 seconds, and never overflows."""
    assert [back_off_s(n, None, 0) for n in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 8, LAST_BACK_OFF_S, LAST_BACK_OFF_S]
    assert back_off_s(3, None, 1) == 2


def test_retry_after_is_a_lower_bound() -> None:
    """What the issuer asks for is kept whole, whatever the jitter, but not for longer than five minutes."""
    assert back_off_s(1, 30.0, 1) == 30
    assert back_off_s(4, 3.0, 0) == 8
    assert back_off_s(1, 86_400.0, 0) == MAX_RETRY_AFTER_S


@pytest.mark.parametrize("retry_after_s", [math.nan, math.inf, -1.0, 10**400, "soon", [], None])
def test_odd_retry_after_counts_as_not_stated(retry_after_s: object) -> None:
    """What is no number of seconds neither shortens nor lengthens the back-off."""
    assert back_off_s(3, retry_after_s, 0) == 4


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (None, "expected a token, got a value of type NoneType"),
        (("t", NOW_S + HOUR_S), "expected a token, got a value of type tuple"),
        *((DownstreamToken(text, NOW_S + HOUR_S), "printable ASCII") for text in ("", "a\r\nb", "ä", "a" * 65_537)),
        *((DownstreamToken(text, NOW_S + HOUR_S), "printable ASCII") for text in cast("list[str]", [None, b"t", 7])),
        (DownstreamToken("t", math.nan), "expiry to be a time"),
        (DownstreamToken("t", (NOW_S + HOUR_S) * 1000), "expiry to be a time"),
        (DownstreamToken("t", NOW_S), "already expired"),
        (DownstreamToken("t", NOW_S + 1), "already expired"),
    ],
)
def test_odd_tokens_are_refused(token: object, reason: str) -> None:
    """Nothing is sent or planned with a token of which the issuer states nonsense, and the reason quotes none of it."""
    with pytest.raises(TokenFetchError, match=reason):
        checked(token, NOW_S)


def test_checked_token_is_the_same() -> None:
    """A good token keeps what its issuer stated, a refresh time that is no time counts as not stated."""
    token = _token(HOUR_S, 60)
    assert checked(token, NOW_S) == token
    assert checked(replace(token, refresh_on_s=math.nan), NOW_S) == _token(HOUR_S)


def test_token_is_not_shown() -> None:
    """No log line can hold a token by accident."""
    assert "secret" not in repr(DownstreamToken("secret", NOW_S))

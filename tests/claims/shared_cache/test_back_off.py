"""When the shared store is left alone, and what is said of it."""

import pytest

from claims.errors import TokenUnavailable
from claims.shared_cache.store import MAX_PAUSE_S, BackOff
from tests.claims.site import Clock


def test_pauses_double_up_to_half_a_minute(clock: Clock) -> None:
    """And begin again at a second once it has worked."""
    pause = BackOff(clock)
    for expected_s in (1, 2, 4, 8, 16, MAX_PAUSE_S, MAX_PAUSE_S):
        assert pause.is_over()
        pause.failed(OSError())
        assert (pause.is_over(), pause.left_s()) == (False, expected_s)
        clock.advance(expected_s)
    pause.works()
    pause.failed(OSError())
    assert pause.left_s() == 1


def test_a_failure_is_said_once_until_it_works(clock: Clock) -> None:
    """Not once a request, and again when it fails again."""
    pause = BackOff(clock)
    assert pause.news() == ""
    for _ in range(2):
        pause.failed(OSError("secret"))
        pause.failed(ValueError())
        assert [pause.news(), pause.news()] == ["OSError", ""]
        pause.failed(OSError())
        assert pause.news() == ""
        pause.works()
    pause.failed(OSError())
    pause.works()
    assert pause.news() == ""


def test_the_cause_is_named(clock: Clock) -> None:
    """The types, because a server chooses the message; why there is no token is the endpoint's own text."""
    pause = BackOff(clock)
    with pytest.raises(ValueError, match="also secret") as caught:
        raise ValueError("also secret") from OSError("secret")
    pause.failed(caught.value)
    assert pause.news() == "ValueError (OSError)"
    pause = BackOff(clock)
    pause.failed(TokenUnavailable("code", "why"))
    assert pause.news() == "code: why"

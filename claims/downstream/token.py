"""A downstream token: how long it is good for, when to replace it, and how long to leave an issuer that fails alone.

Pure functions of what the issuer said; `claims.downstream.tokens` has the clock.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

#: azure-core asks for a new token this long before the old one ends; so do we, at the latest.
#: Source: azure-core ``BearerTokenCredentialPolicy``, 300 seconds.
REFRESH_BEFORE_EXPIRY_S: Final = 300.0
#: However early the issuer wants its token back: not before this, or half its life.
SOONEST_REFRESH_S: Final = 60.0
#: A token that has less than this left, or less than a tenth of its life, may end on its way to the downstream.
EXPIRY_MARGIN_S: Final = 5.0
#: Refreshes come up to this share of their time early, so that many workers do not come together.
JITTER: Final = 0.1

#: Between attempts without a token: who signs in after an outage of the issuer waits no longer for its end to be seen.
FIRST_BACK_OFF_S: Final = 1.0
LAST_BACK_OFF_S: Final = 10.0
#: A ``Retry-After`` of a day must not lock everybody out for a day.
MAX_RETRY_AFTER_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class DownstreamToken:
    """A bearer token for a downstream API.

    Attributes:
        token: the token; never shown.
        expires_on_s: when it ends, in seconds since the epoch.
        refresh_on_s: when its issuer wants it replaced, in seconds since the epoch; None where it does not say.
    """

    token: str = field(repr=False)
    expires_on_s: float
    refresh_on_s: float | None = None


class TokenFetchError(Exception):
    """A source has no token; the message says why in one line, without secrets.

    Attributes:
        retry_after_s: how long the issuer wants to be left alone, in seconds, or None.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


#: Gets a new token for one scope, never one it gave before; raises `TokenFetchError` when it cannot.
type TokenSource = Callable[[str], Awaitable[DownstreamToken]]


def usable_s(token: DownstreamToken, now_s: float) -> float:
    """Say for how many seconds from now a token can be sent; zero or less when it has ended."""
    life_s = token.expires_on_s - now_s
    return life_s - min(EXPIRY_MARGIN_S, life_s / 10)


def refresh_in_s(token: DownstreamToken, now_s: float, jitter: float) -> float:
    """Say in how many seconds a token that came now is to be replaced.

    When its issuer says, but 5 minutes before it ends at the latest; a token that lives less than 10 minutes, at half
    its life. All of it up to 10 % earlier.

    Args:
        token: just issued.
        now_s: seconds since the epoch.
        jitter: 0 to 1.
    """
    life_s = token.expires_on_s - now_s
    latest_s = max(life_s / 2, life_s - REFRESH_BEFORE_EXPIRY_S)
    soonest_s = min(life_s / 2, SOONEST_REFRESH_S)
    advised_s = latest_s if token.refresh_on_s is None else token.refresh_on_s - now_s
    return min(max(advised_s, soonest_s), latest_s) * (1 - JITTER * jitter)


def back_off_s(failures: int, retry_after_s: float | None, jitter: float) -> float:
    """Say how many seconds to wait after the n-th failure in a row.

    It doubles from 1 to 10 s, up to half of it off; the issuer's ``Retry-After`` is kept whole, up to 5 minutes.

    Args:
        failures: in a row, at least one.
        retry_after_s: what the issuer asked for.
        jitter: 0 to 1.
    """
    doubled_s = min(FIRST_BACK_OFF_S * 2.0 ** min(failures - 1, 10), LAST_BACK_OFF_S)
    return max(doubled_s * (1 - jitter / 2), min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))

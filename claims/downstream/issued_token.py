"""A downstream token as its issuer returned it: whether it is usable, when to refresh it, how long to back off.

Nothing that an issuer states is relied on before it is checked. These are pure functions; the clocks belong to
`claims.downstream.token_cache`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

#: A token is refreshed this long before it expires, at the latest.
#: Source: azure-core ``BearerTokenCredentialPolicy``, 300 seconds.
REFRESH_BEFORE_EXPIRY_S: Final = 300.0
#: However early the issuer wants a token refreshed: not before this, or half the token's lifetime.
SOONEST_REFRESH_S: Final = 60.0
#: A token with less than this left, or less than a tenth of its lifetime, may expire on its way to the downstream.
EXPIRY_MARGIN_S: Final = 5.0
#: A token that is usable for less than this counts as expired: it would have to be replaced with every request.
MIN_USABLE_S: Final = 1.0
#: Refreshes come up to this share of their time early, so that many workers do not refresh at the same moment.
JITTER: Final = 0.1

#: Between attempts without a token: short, because sign-ins fail until the issuer's recovery is noticed.
FIRST_BACK_OFF_S: Final = 1.0
LAST_BACK_OFF_S: Final = 10.0
#: A ``Retry-After`` of a day must not fail every sign-in for a day.
MAX_RETRY_AFTER_S: Final = 300.0

#: No server accepts a longer header.
_MAX_TOKEN_CHARACTERS: Final = 64 * 1024
#: The end of the year 9999, in seconds since the epoch: later times are milliseconds or nonsense.
_LAST_TIME_S: Final = 253_402_300_799


@dataclass(frozen=True, slots=True)
class DownstreamToken:
    """A bearer token for a downstream API.

    Attributes:
        token: Sent to the downstream; never shown.
        expires_on_s: When it expires, in seconds since the epoch.
        refresh_on_s: When its issuer wants it refreshed, in seconds since the epoch; None if not stated.
    """

    token: str = field(repr=False)
    expires_on_s: float
    refresh_on_s: float | None = None


class TokenFetchError(Exception):
    """A source could not get a token; the message gives the reason in one line, without secrets.

    Attributes:
        retry_after_s: How many seconds the issuer asks to wait before the next attempt; None if not stated.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


#: Fetches a new token for one scope, never one that it returned before; raises `TokenFetchError` if it cannot.
type TokenSource = Callable[[str], Awaitable[DownstreamToken]]


def checked(token: object, now_s: float) -> DownstreamToken:
    """Return a token whose members have the stated types and which is usable now.

    A refresh time that is no time counts as not stated.

    Raises:
        TokenFetchError: It is not such a token.
    """
    if not isinstance(token, DownstreamToken):
        raise TokenFetchError(f"expected a token, got a value of type {type(token).__name__}")
    text: object = token.token
    if not (isinstance(text, str) and 0 < len(text) <= _MAX_TOKEN_CHARACTERS and text.isascii() and text.isprintable()):
        raise TokenFetchError(f"expected a token of 1 to {_MAX_TOKEN_CHARACTERS} printable ASCII characters")
    expires_on_s = _time_s(token.expires_on_s)
    if expires_on_s is None:
        raise TokenFetchError("expected the token's expiry to be a time in seconds since the epoch")
    usable = DownstreamToken(text, expires_on_s, _time_s(token.refresh_on_s))
    if usable_s(usable, now_s) < MIN_USABLE_S:
        raise TokenFetchError("the new token has already expired")
    return usable


def usable_s(token: DownstreamToken, now_s: float) -> float:
    """Return the seconds from now during which a token can be sent; zero or less after it has expired."""
    life_s = token.expires_on_s - now_s
    return life_s - min(EXPIRY_MARGIN_S, life_s / 10)


def refresh_in_s(token: DownstreamToken, now_s: float, jitter: float) -> float:
    """Return the seconds until a token issued now should be refreshed.

    That is the issuer's refresh time, but at the latest 5 minutes before the token expires, or at half its lifetime if
    it lives less than 10 minutes; all of it up to 10 % earlier, by ``jitter`` from 0 to 1.
    """
    life_s = token.expires_on_s - now_s
    latest_s = max(life_s / 2, life_s - REFRESH_BEFORE_EXPIRY_S)
    soonest_s = min(life_s / 2, SOONEST_REFRESH_S)
    advised_s = latest_s if token.refresh_on_s is None else token.refresh_on_s - now_s
    return min(max(advised_s, soonest_s), latest_s) * (1 - JITTER * jitter)


def back_off_s(failures: int, retry_after_s: object, jitter: float) -> float:
    """Return how many seconds to wait after the n-th failure in a row.

    It doubles from 1 to 10 s, reduced by up to half; the issuer's ``Retry-After`` is honored in full, up to 5 minutes,
    and ignored if it is not a number of seconds. ``jitter`` is 0 to 1.
    """
    doubled_s = min(FIRST_BACK_OFF_S * 2.0 ** min(failures - 1, 10), LAST_BACK_OFF_S)
    return max(doubled_s * (1 - jitter / 2), min(_time_s(retry_after_s) or 0.0, MAX_RETRY_AFTER_S))


def read_retry_after_s(retry_after: str, now_s: float) -> float | None:
    """Return the seconds of a ``Retry-After``: a number or a date (RFC 9110 section 10.2.3); None if it is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


def _time_s(value: object) -> float | None:
    """Return a number of seconds as a float, or None for anything else: NaN, infinity, a negative number, text."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= _LAST_TIME_S else None

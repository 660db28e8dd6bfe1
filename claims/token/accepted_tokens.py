"""Tokens that were accepted before, so that they need not be judged again.

Entra uses one token for many calls, and judging it is a third of a request's CPU. The judgment depends on the token's
bytes, on settings that never change, on the key and on the time. So it holds for exactly the same bytes while the key
and the time allow it:

- the token is compared as a whole, so nothing is inferred about any other bytes;
- it counts only while its document still publishes the same key object (`claims.token.validator` compares them at every
  call): after a reload of the keys, tokens are judged again;
- it is forgotten when its time is over, whether or not anybody asks again;
- only tokens that passed every check are kept, so nobody else can crowd out Entra's; their number is bounded, and so is
  their size, by the header's limit.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from claims.expiring import ExpiringCache
from claims.header import MAX_TOKEN_BYTES
from claims.token.jwks import SigningKey
from claims.token.keys import NamedKey

#: Entra needs one for each of its instances at the most.
MAX_TOKENS: Final = 64


class AcceptedToken(NamedTuple):
    """What is known of a token that passed every check.

    Attributes:
        named: The key that it names.
        key: The key that its signature was verified with.
    """

    named: NamedKey
    key: SigningKey


class AcceptedTokens:
    """Remembers at most `MAX_TOKENS` tokens; the least recently used leave first."""

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self._tokens: ExpiringCache[str, AcceptedToken] = ExpiringCache(
            MAX_TOKENS * MAX_TOKEN_BYTES,
            size_bytes=lambda _accepted: MAX_TOKEN_BYTES,  # each counts as the largest
            clock=wall_clock,
        )

    def get(self, token: str) -> AcceptedToken | None:
        """Return what is known about exactly this token."""
        return self._tokens.get(token)

    def put(self, token: str, accepted: AcceptedToken, *, until_s: float) -> None:
        """Remember a token until its time is over, in seconds since the epoch."""
        self._tokens.put(token, accepted, until_s - self._wall_clock())

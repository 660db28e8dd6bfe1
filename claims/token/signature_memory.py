"""Tokens whose signature was verified before, so that it need not be verified again.

Entra uses one token for many calls, and parsing and verifying it is a fifth of a request's CPU. What is remembered is
one fact: this key signed these bytes. That is safe because

- the token is compared as a whole, so nothing is inferred about any other bytes;
- it counts only while its document still publishes the same key object (`claims.token.validator` compares them):
  after a reload of the keys, tokens are verified again;
- header, claims and times are checked at every call, as if the token had come for the first time;
- values are immutable, and only tokens that passed every check are kept, so nobody else can crowd out Entra's;
- it is bounded, and a token is forgotten when its time is over, whether or not anybody asks again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from claims.expiring import ExpiringCache
from claims.token.jwks import SigningKey
from claims.token.jws import CompactToken

#: Entra needs one for each of its instances at the most.
MAX_VERIFIED: Final = 64
#: Of the tokens as text; parsed, they take about four times as much. Entra's have about 1.5 kB.
MAX_TOKENS_BYTES: Final = MAX_VERIFIED * 4 * 1024


@dataclass(frozen=True, slots=True)
class Verified:
    """A token and the key that signed it.

    Attributes:
        compact: The parsed token.
        key: The key that its signature was verified with.
        size_bytes: Of the token as text.
    """

    compact: CompactToken
    key: SigningKey
    size_bytes: int


class SignatureMemory:
    """Remembers at most `MAX_VERIFIED` tokens and `MAX_TOKENS_BYTES`; the least recently used leave first."""

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self._tokens: ExpiringCache[str, Verified] = ExpiringCache(
            MAX_TOKENS_BYTES,
            size_bytes=lambda verified: max(verified.size_bytes, MAX_TOKENS_BYTES // MAX_VERIFIED),
            clock=wall_clock,
        )

    def get(self, token: str) -> Verified | None:
        """Return what is known about exactly this token."""
        return self._tokens.get(token)

    def put(self, token: str, compact: CompactToken, key: SigningKey, *, until_s: float) -> None:
        """Remember that a key signed a token."""
        self._tokens.put(token, Verified(compact, key, len(token)), until_s - self._wall_clock())

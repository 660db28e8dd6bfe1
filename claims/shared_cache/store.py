"""The shared store as the endpoint sees it: its interface, the form of a reply in it, and when to leave it alone.

What comes back is believed no more than a provider's reply: it is capped before it is parsed, strict JSON, of the one
form that is written here, and its claims become a reply as a provider's do. It names its key, so that no mistake of a
client, a proxy or a person can hand one user's claims to another.
"""

import json
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from claims.errors import ClaimsError, ProviderFailed
from claims.failure_policy import GoodKey, LastGood
from claims.reply import Reply, build_reply
from claims.wire import strict_json

#: Of a value: the claims of a reply are at most 3,000 bytes, which JSON's escapes make longer.
MAX_VALUE_BYTES: Final = 32 * 1024
#: Of a reply that is stored; the value names its key, too.
MAX_BODY_BYTES: Final = MAX_VALUE_BYTES - 512
#: How far the clocks of two instances may differ, in seconds.
MAX_SKEW_S: Final = 60.0
#: Changes with the form below, so that versions side by side do not read each other's values.
_FORM: Final = "claims:1"
_MEMBERS: Final = frozenset({"key", "made_s", "claims"})
#: For one batch of writes, in seconds.
WRITE_S: Final = 2.0
#: The first pause after a failure and the longest, in seconds.
MIN_PAUSE_S: Final = 1.0
MAX_PAUSE_S: Final = 30.0


class Store(Protocol):
    """Keeps values for a time. Whatever it raises means that it is as if it were not there."""

    async def get(self, key: str, max_bytes: int) -> bytes:
        """Return at most the first ``max_bytes`` of a value, or nothing if the store has no value."""

    async def put(self, entries: Sequence[tuple[str, bytes, int]]) -> None:
        """Keep values, each for its milliseconds; without any, find out whether the store is there."""

    async def aclose(self) -> None:
        """Close the connections."""


class StoredReplyRefused(Exception):
    """A value of the store is not what this endpoint writes; the message says why, not what it is."""


def key_text(tenant_id: str, key: GoodKey) -> str:
    """Return the name of a user's value: tenant and user come first, so that a pattern finds all of one user's."""
    return ":".join((_FORM, tenant_id, *key))


def encode_value(key: str, good: LastGood) -> bytes:
    """Return the value for a reply."""
    head = json.dumps({"key": key, "made_s": round(good.made_s, 3)}, separators=(",", ":"))
    return b'%b,"claims":%b}' % (head[:-1].encode(), good.reply.claims_json())


def decode_value(key: str, value: bytes, *, now_s: float, stale_s: float) -> tuple[Reply, float]:
    """Return the reply of a value, and when it was made.

    Args:
        key: Under which name the value was read.
        value: As it came.
        now_s: Seconds since the epoch.
        stale_s: How old it may be.

    Raises:
        StoredReplyRefused: It is not the value of this key, or too old, or its claims cannot be sent.
    """
    if len(value) > MAX_VALUE_BYTES:
        raise StoredReplyRefused(f"it is longer than {MAX_VALUE_BYTES} bytes")
    try:
        members = strict_json.parse_object(value)
    except strict_json.StrictJsonError as error:
        raise StoredReplyRefused(str(error)) from error
    if members.keys() != _MEMBERS or members["key"] != key:
        raise StoredReplyRefused("it is the value of another key, or has other members")
    made_s = members["made_s"]
    if type(made_s) not in {int, float} or not now_s - stale_s < made_s <= now_s + MAX_SKEW_S:
        raise StoredReplyRefused("the time at which it was made is too old, or in the future")
    try:
        return build_reply(members["claims"]), min(float(made_s), now_s)
    except ProviderFailed as error:
        raise StoredReplyRefused(error.code) from error


class BackOff:
    """Doubles the pause with each failure, and keeps the reason of the first until a line has said it.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pause_s = 0.0
        self._until_s = float("-inf")
        self._unsaid = self._said = ""

    def is_over(self) -> bool:
        """Whether the store may be asked."""
        return self._clock() >= self._until_s

    def left_s(self) -> float:
        """Return the seconds until it may be asked."""
        return max(0.0, self._until_s - self._clock())

    def works(self) -> None:
        """Note that the store answered: the next failure is news again."""
        self._pause_s, self._until_s = 0.0, float("-inf")
        self._unsaid = self._said = ""

    def failed(self, error: Exception) -> None:
        """Begin a pause."""
        self._pause_s = min(MAX_PAUSE_S, max(MIN_PAUSE_S, 2 * self._pause_s))
        self._until_s = self._clock() + self._pause_s
        self.say(_reason(error))

    def say(self, reason: str) -> None:
        """Let the next line say why, unless one has since the store last worked."""
        if not self._said:
            self._said = self._unsaid = reason

    def news(self) -> str:
        """Return what no line has said yet."""
        reason, self._unsaid = self._unsaid, ""
        return reason


def _reason(error: Exception) -> str:
    """Return the types of an exception and its cause: a server, or what answers in its place, chooses the message."""
    if isinstance(error, ClaimsError):  # no token; the detail is the token cache's
        return str(error)
    cause = error.__cause__ or error.__context__
    return type(error).__name__ + (f" ({type(cause).__name__})" if cause else "")

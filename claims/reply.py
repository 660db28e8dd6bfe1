"""The reply: claims as Entra accepts them, exactly one action, nothing else.

The rule for values. Strings stay. Booleans become ``true`` and ``false``, numbers what Python's `str` writes (``1.0``,
``1e+22``), dates and times ISO 8601, UUIDs their canonical form, members of an enumeration their value. A list, tuple
or set of these becomes an array of strings; sets are sorted. None is left out, as a value and in an array; so is a
blank name. Anything else (an object, a list in a list, bytes, NaN, a date-time without a time zone) is a mistake in the
provider and fails.

The rule for names. Any name that is not blank is sent. Entra restricts names (``groups``, for example) only as the name
in the token, which the application's claims mapping policy chooses (``JwtClaimType``).

The rule for size. Claims above `SAFE_CLAIMS_BYTES` fail as a whole. Entra may refuse them (whether its 3 KB are 3000 or
3072 bytes is not published), and to send only some of a user's claims could grant or deny what the whole would not.

Source: entra-docs ``custom-claims-provider-reference.md`` ("Supported data types", 3 KB) and
``reference-claims-customization.md`` (restricted names).
"""

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Final, NamedTuple
from uuid import UUID

from claims.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE, SAFE_CLAIMS_BYTES, ClaimValue, claims_size_bytes
from claims.errors import ProviderFailed, shorten_name

#: More digits than all claims together may have.
_MAX_INTEGER_BITS: Final = 4 * SAFE_CLAIMS_BYTES
#: Names of dropped claims that are shown.
_MAX_SHOWN: Final = 3
#: What a reply takes in memory in addition to its body: objects and a cache's entry, measured with tracemalloc.
_OVERHEAD_BYTES: Final = 800
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
#: What is the same in every reply.
_BEFORE_CLAIMS, _AFTER_CLAIMS = _encode(
    {
        "data": {
            "@odata.type": RESPONSE_DATA_TYPE,
            "actions": [{"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": "CLAIMS"}],
        }
    }
).split('"CLAIMS"')


class Reply(NamedTuple):
    """What is sent. It is immutable, so that it can be shared and remembered.

    Attributes:
        body: The JSON document in UTF-8.
        claims_bytes: What counts against the limit of 3 KB.
        dropped: The names of claims left out, because their value was None or their name was empty; shortened and few.
    """

    body: bytes
    claims_bytes: int
    dropped: tuple[str, ...] = ()

    def held_bytes(self) -> int:
        """Return about how much memory the reply takes in a cache."""
        return len(self.body) + _OVERHEAD_BYTES

    def claims_json(self) -> bytes:
        """Return the claims alone, a JSON object in UTF-8."""
        return self.body[len(_BEFORE_CLAIMS) : len(self.body) - len(_AFTER_CLAIMS)]


class _NotAClaim(Exception):
    """A value has no string form as a claim; the message says why."""


def build_reply(provided: Mapping[str, object], known_names: frozenset[str] = frozenset()) -> Reply:
    """Turn a provider's claims into the event's reply.

    Args:
        provided: The claims by name.
        known_names: The names that settings or the provider's code contain: the log shows them whole.

    Raises:
        ProviderFailed: A claim has no text as its name, a value has no string form, or all are too large. The detail
            shows the name, never the value.
        Exception: Whatever the mapping raises while it is read.
    """
    if type(provided) is not dict and not isinstance(provided, Mapping):  # the first is quicker
        raise ProviderFailed("claims_shape", f"expected a mapping, got a value of type {type(provided).__name__}")
    claims: dict[str, ClaimValue] = {}
    dropped: list[str] = []
    for name, value in provided.items():
        if not isinstance(name, str):
            raise ProviderFailed("claim_name", f"expected a string, got a value of type {type(name).__name__}")
        try:
            converted = value if type(value) is str else _value(value)  # nearly all are
        except _NotAClaim as error:
            raise ProviderFailed("claim_value", f"{_show(name, known_names)}: {error}") from None
        if converted is None or not name.strip():
            dropped.append(name)
        else:
            claims[name] = converted
    claims_bytes = _checked_size_bytes(claims, known_names)
    body = f"{_BEFORE_CLAIMS}{_encode(claims)}{_AFTER_CLAIMS}".encode()
    return Reply(body, claims_bytes, _few(dropped, known_names) if dropped else ())


def _few(names: list[str], known_names: frozenset[str]) -> tuple[str, ...]:
    shown = [_show(name, known_names) for name in names[:_MAX_SHOWN]]
    if more := len(names) - len(shown):
        shown.append(f"and {more} more")
    return tuple(shown)


def _show(name: str, known_names: frozenset[str]) -> str:
    return name if name in known_names else shorten_name(name)


def _checked_size_bytes(claims: Mapping[str, ClaimValue], known_names: frozenset[str]) -> int:
    try:
        claims_bytes = claims_size_bytes(claims)
    except UnicodeEncodeError as error:
        raise ProviderFailed("claims_unicode", "expected Unicode text, got a lone surrogate") from error
    if claims_bytes > SAFE_CLAIMS_BYTES:
        sizes = sorted(((claims_size_bytes({name: value}), name) for name, value in claims.items()), reverse=True)
        largest = ", ".join(f"{_show(name, known_names)} {size}" for size, name in sizes[:_MAX_SHOWN])
        raise ProviderFailed("claims_size", f"at most {SAFE_CLAIMS_BYTES} bytes, got {claims_bytes}: {largest}")
    return claims_bytes


def _value(value: object) -> ClaimValue | None:
    if isinstance(value, (list, tuple)):
        return [text for item in value if (text := _text(item)) is not None]
    if isinstance(value, set | frozenset):
        return sorted(text for item in value if (text := _text(item)) is not None)
    return _text(value)


def _text(value: object) -> str | None:
    if type(value) is str:  # the quick way
        return value
    match value:
        case None:
            return None
        case Enum():
            return _text(value.value)
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case UUID():
            return str(value)
        case int() | float() | Decimal() if _has_digits(value):
            return str(value)
        case datetime() if value.tzinfo is None:
            raise _NotAClaim("expected a date-time with a time zone")
        case date() | time():
            return value.isoformat()
    raise _NotAClaim(f"a value of type {type(value).__name__} has no string form as a claim")


def _has_digits(number: float | Decimal) -> bool:
    """Whether a number can be written out, within the limit of all claims."""
    if isinstance(number, int):
        return number.bit_length() <= _MAX_INTEGER_BITS
    return number.is_finite() if isinstance(number, Decimal) else math.isfinite(number)

"""The reply: claims as Entra accepts them, exactly one action, nothing else.

The rule for values. Strings stay. Booleans become ``true`` and ``false``, numbers their shortest decimal form, dates
and times ISO 8601, UUIDs their canonical form, members of an enumeration their value. A list, tuple or set of these
becomes an array of strings; sets are sorted. None is left out, as a value and in an array; so is an empty name.
Anything else (an object, a list in a list, bytes, NaN, a date-time without a time zone) is a mistake in the provider
and fails.

The rule for size. Claims above `SAFE_CLAIMS_BYTES` fail as a whole. Entra would refuse them, and to send some of a
user's claims would let a token say less than the truth.

Source: entra-docs ``custom-claims-provider-reference.md`` ("Supported data types", 3 KB).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Final
from uuid import UUID

from claims.contract import (
    PROVIDE_CLAIMS_ACTION,
    RESPONSE_DATA_TYPE,
    SAFE_CLAIMS_BYTES,
    ClaimValue,
    claims_size_bytes,
    is_restricted,
)
from claims.errors import ProviderFailed

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Reply:
    """What leaves.

    Attributes:
        body: the JSON document in UTF-8.
        claims_bytes: what counts against the limit.
        dropped: the names of claims left out, because their value was None or their name was empty.
    """

    body: bytes
    claims_bytes: int
    dropped: tuple[str, ...]


def build_reply(provided: Mapping[str, object]) -> Reply:
    """Turn a provider's claims into the event's reply.

    Raises:
        ProviderFailed: a claim has a restricted name or a value that has no string form, or all are too large. The
            detail names the claim, never its value.
    """
    if not isinstance(provided, Mapping):
        raise ProviderFailed("claims_shape", f"expected a mapping, got a {type(provided).__name__}")
    claims: dict[str, ClaimValue] = {}
    dropped: list[str] = []
    for name, value in provided.items():
        _check_name(name)
        converted = _value(name, value)
        if converted is None or not name.strip():
            dropped.append(name)
        else:
            claims[name] = converted
    action = {"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": claims}
    try:
        claims_bytes = claims_size_bytes(claims)
        body = _encode({"data": {"@odata.type": RESPONSE_DATA_TYPE, "actions": [action]}}).encode()
    except UnicodeEncodeError as error:
        raise ProviderFailed("claims_unicode", "expected Unicode text, got a lone surrogate") from error
    if claims_bytes > SAFE_CLAIMS_BYTES:
        raise ProviderFailed(
            "claims_size", f"at most {SAFE_CLAIMS_BYTES} bytes, got {claims_bytes}: {_largest(claims)}"
        )
    return Reply(body=body, claims_bytes=claims_bytes, dropped=tuple(dropped))


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise ProviderFailed("claim_name", f"expected a string, got a {type(name).__name__}")
    if is_restricted(name):
        raise ProviderFailed("claim_restricted", f"{name}: a token may not carry a mapped claim of this name")


def _value(name: str, value: object) -> ClaimValue | None:
    if isinstance(value, list | tuple):
        return [text for item in value if (text := _text(name, item)) is not None]
    if isinstance(value, set | frozenset):
        return sorted(text for item in value if (text := _text(name, item)) is not None)
    return _text(name, value)


def _text(name: str, value: object) -> str | None:
    """Give a single value its string form."""
    if type(value) is str:  # nearly all are
        return value
    match value:
        case None:
            return None
        case Enum():
            return _text(name, value.value)
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int() | UUID():
            return str(value)
        case float() | Decimal() if math.isfinite(value):
            return str(value)
        case datetime() if value.tzinfo is None:
            raise ProviderFailed("claim_value", f"{name}: expected a date-time with a time zone")
        case date() | time():
            return value.isoformat()
        case _:
            raise ProviderFailed("claim_value", f"{name}: a {type(value).__name__} has no string form as a claim")


def _largest(claims: Mapping[str, ClaimValue]) -> str:
    sizes = sorted(((claims_size_bytes({name: value}), name) for name, value in claims.items()), reverse=True)
    return ", ".join(f"{name} {size}" for size, name in sizes[:3])

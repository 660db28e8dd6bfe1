"""What the shared store says is believed no more than a provider."""

import json

import pytest

from claims.failure_policy import LastGood
from claims.reply import build_reply
from claims.shared_cache.store import (
    MAX_SKEW_S,
    MAX_VALUE_BYTES,
    StoredReplyRefused,
    decode_value,
    encode_value,
    key_text,
)
from tests.claims.site import NOW_S, TENANT_ID

KEY = key_text(TENANT_ID, ("user", "extension", "client", ""))
CLAIMS = {"roles": ["a", "ü\"'\\"], "level": "7", "empty": ""}
GOOD = {"key": KEY, "made_s": NOW_S - 10, "claims": CLAIMS}


def _decode(value: object) -> object:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return decode_value(KEY, data, now_s=NOW_S, stale_s=3600)


def test_a_users_values_have_one_prefix() -> None:
    """A pattern finds all that is stored of one user, in whatever application."""
    assert f"claims:1:{TENANT_ID}:user:extension:client:" == KEY


def test_what_is_written_is_read() -> None:
    """The same reply, and when it was made."""
    reply = build_reply(CLAIMS)
    value = encode_value(KEY, LastGood(reply, NOW_S - 10))
    assert json.loads(value) == GOOD
    assert _decode(value) == (reply, NOW_S - 10)


def test_a_clock_may_be_ahead_by_a_minute() -> None:
    """Of another instance; its reply is not kept for longer than one of now."""
    assert _decode({**GOOD, "made_s": NOW_S + MAX_SKEW_S}) == (build_reply(CLAIMS), NOW_S)


@pytest.mark.parametrize(
    "value",
    [
        b"\x80",
        b"null",
        b"{}",
        b'{"key":"a","key":"b"}',
        b"[" * 20_000,
        b" " * MAX_VALUE_BYTES + b"{}",
        {**GOOD, "key": KEY.replace("user", "other")},
        {**GOOD, "more": 1},
        {**GOOD, "made_s": NOW_S - 3600},
        {**GOOD, "made_s": NOW_S + MAX_SKEW_S + 1},
        {**GOOD, "made_s": "1"},
        {**GOOD, "made_s": True},
        {**GOOD, "made_s": None},
        {**GOOD, "made_s": 10**400},
        {**GOOD, "claims": None},
        {**GOOD, "claims": ["a"]},
        {**GOOD, "claims": {"a": {"b": "c"}}},
        {**GOOD, "claims": {"a": [["b"]]}},
        {**GOOD, "claims": {"a": "x" * 3001}},
    ],
    ids=lambda value: str(value)[:60],
)
def test_hostile_values_are_refused(value: object) -> None:
    """Whoever can write to the store cannot make this endpoint send what a provider could not."""
    with pytest.raises(StoredReplyRefused) as refused:
        _decode(value)
    assert TENANT_ID not in str(refused.value)

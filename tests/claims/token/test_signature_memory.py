"""The signature memory: bounded in number and bytes, forgotten on time, immutable."""

import asyncio
import json
import sys
from typing import Any

import pytest

from claims.expiring import SWEEP_S
from claims.token.jwks import SigningKey, parse_key_set
from claims.token.jws import CompactToken, parse_compact
from claims.token.signature_memory import MAX_TOKENS_BYTES, MAX_VERIFIED, SignatureMemory
from selftest.entra.signing import KeySet
from tests.claims.site import NOW_S, good_token

KEYS = KeySet()
TOKEN = good_token(KEYS)


@pytest.fixture
def key() -> SigningKey:
    """Return the usable key of the set."""
    return parse_key_set(json.dumps(KEYS.jwks()).encode()).keys[KEYS.current.kid]


@pytest.fixture
def compact() -> CompactToken:
    """Return a parsed token."""
    return parse_compact(TOKEN)


async def test_remembers_64_tokens(key: SigningKey, compact: CompactToken) -> None:
    """Of more, those that came longest ago are forgotten."""
    memory = SignatureMemory(lambda: NOW_S)
    for index in range(MAX_VERIFIED + 1):
        memory.put(f"token {index}", compact, key, until_s=NOW_S + 60)
        assert memory.get("token 1" if index else "token 0")
    kept = [index for index in range(MAX_VERIFIED + 1) if memory.get(f"token {index}")]
    assert (len(kept), 0 in kept, 1 in kept) == (MAX_VERIFIED, False, True)


async def test_large_tokens_count_for_their_size(key: SigningKey, compact: CompactToken) -> None:
    """The memory is bounded in bytes, too."""
    memory = SignatureMemory(lambda: NOW_S)
    size = MAX_TOKENS_BYTES // 16
    tokens = [str(index).rjust(size) for index in range(MAX_VERIFIED)]
    for token in tokens:
        memory.put(token, compact, key, until_s=NOW_S + 60)
    assert [token for token in tokens if memory.get(token)] == tokens[-16:]


async def test_forgets_on_time(key: SigningKey, compact: CompactToken) -> None:
    """What is over is not returned, and neither kept: a put of what is over keeps nothing."""
    now_s = NOW_S
    memory = SignatureMemory(lambda: now_s)
    memory.put(TOKEN, compact, key, until_s=NOW_S + 60)
    memory.put("over", compact, key, until_s=NOW_S)
    assert memory.get("over") is None
    now_s += 59
    assert memory.get(TOKEN)
    now_s += 1
    assert memory.get(TOKEN) is None


async def test_forgets_unasked(key: SigningKey, compact: CompactToken, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that nobody sends again leaves the memory all the same, by a timer."""
    now_s = NOW_S
    timers: list[Any] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _delay_s, sweep: timers.append(sweep))
    memory = SignatureMemory(lambda: now_s)
    unknown = sys.getrefcount(compact)
    memory.put(TOKEN, compact, key, until_s=NOW_S + 5)
    assert sys.getrefcount(compact) == unknown + 1
    now_s += SWEEP_S
    timers.pop()()
    assert (sys.getrefcount(compact), timers) == (unknown, [])


def test_what_is_remembered_cannot_be_changed(compact: CompactToken) -> None:
    """Nobody can change a token's header or claims after they were checked."""
    for part in (compact.header, compact.payload):
        with pytest.raises(TypeError):
            part["aud"] = "another"  # type: ignore[index] # what must not work

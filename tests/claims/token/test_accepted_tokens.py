"""The tokens that were accepted before: bounded in number, forgotten on time."""

import asyncio
import json
import sys
from typing import Any

import pytest

from claims.expiring import SWEEP_S
from claims.token.accepted_tokens import MAX_TOKENS, AcceptedToken, AcceptedTokens
from claims.token.jwks import parse_key_set
from claims.token.jws import parse_compact
from claims.token.validator import named_key
from selftest.entra.signing import KeySet
from tests.claims.site import NOW_S, good_token

KEYS = KeySet()
TOKEN = good_token(KEYS)


@pytest.fixture
def accepted() -> AcceptedToken:
    """Return a good token with the key that signed it."""
    key = parse_key_set(json.dumps(KEYS.jwks()).encode()).keys[KEYS.current.kid]
    return AcceptedToken(named_key(parse_compact(TOKEN)), key)


async def test_remembers_64_tokens(accepted: AcceptedToken) -> None:
    """Of more, those that came longest ago are forgotten."""
    memory = AcceptedTokens(lambda: NOW_S)
    for index in range(MAX_TOKENS + 1):
        memory.put(f"token {index}", accepted, until_s=NOW_S + 60)
        assert memory.get("token 1" if index else "token 0")
    kept = [index for index in range(MAX_TOKENS + 1) if memory.get(f"token {index}")]
    assert (len(kept), 0 in kept, 1 in kept) == (MAX_TOKENS, False, True)


async def test_forgets_on_time(accepted: AcceptedToken) -> None:
    """What is over is not returned, and neither kept: a put of what is over keeps nothing."""
    now_s = NOW_S
    memory = AcceptedTokens(lambda: now_s)
    memory.put(TOKEN, accepted, until_s=NOW_S + 60)
    memory.put("over", accepted, until_s=NOW_S)
    assert memory.get("over") is None
    now_s += 59
    assert memory.get(TOKEN)
    now_s += 1
    assert memory.get(TOKEN) is None


async def test_forgets_unasked(accepted: AcceptedToken, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that nobody sends again leaves the memory all the same, by a timer."""
    now_s = NOW_S
    timers: list[Any] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _delay_s, sweep: timers.append(sweep))
    memory = AcceptedTokens(lambda: now_s)
    unknown = sys.getrefcount(accepted)
    memory.put(TOKEN, accepted, until_s=NOW_S + 5)
    assert sys.getrefcount(accepted) == unknown + 1
    now_s += SWEEP_S
    timers.pop()()
    assert (sys.getrefcount(accepted), timers) == (unknown, [])

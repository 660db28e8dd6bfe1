"""T170 to T179: key rollovers and outages of the key host. These need an app that has not yet seen an unknown key id.

The emulated Entra publishes a spare key before the endpoint starts. The rollover replaces it with a new one; the key
that signs everything else stays, so that the other checks are not affected.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Final
from weakref import WeakKeyDictionary

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawResponse
from selftest.checks.expectations import failed, judged, must_answer, must_refuse, skipped
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import FRESH, CheckOutcome, check
from selftest.entra.hostile_keys import publish_hostile_keys
from selftest.entra.server import EntraServer
from selftest.entra.signing import SigningKeyPair, generate_signing_key

_UNKNOWN_IDS: Final = 50
_ROLLOVER: Final = "entra-docs signing-key-rollover.md"
_FIX: Final = (
    "Refresh the keys in the background and, at a limited rate, when a token has an unknown key id; "
    "replace the set as a whole, and keep it while the host is down. See claims/token/keys.py."
)


@cache
def spare_key() -> SigningKeyPair:
    """Return the key that is published from the start and withdrawn by the rollover."""
    return generate_signing_key()


@cache
def new_key() -> SigningKeyPair:
    """Return the key that the rollover publishes."""
    return generate_signing_key()


def publish_for_checks(entra: EntraServer) -> None:
    """Publish the keys that the key checks need; call it before the endpoint first reads the key document."""
    publish_hostile_keys(entra.keys, other_issuer=entra.other_issuer)
    entra.keys.published.append(spare_key().jwk())


@dataclass(frozen=True, slots=True)
class _Roll:
    """One key rollover and the endpoint's responses.

    Attributes:
        spare_before: The response to a token signed with the spare key, before it was withdrawn.
        new_after: The response to the first token signed with the new key.
    """

    spare_before: RawResponse
    new_after: RawResponse


_rolls: Final[WeakKeyDictionary[EntraServer, _Roll]] = WeakKeyDictionary()


def _token_by(env: CheckEnvironment, key: SigningKeyPair) -> str:
    forge = TokenForge(env)
    return forge.signed(header=forge.header(kid=key.kid), key=key)


async def _rolled(env: CheckEnvironment) -> _Roll:
    """Return the rollover of this environment; the first check that asks for it rolls the keys."""
    roll = _rolls.get(env.entra)
    if roll is None:
        before = await env.send(env.request(_token_by(env, spare_key())))
        keys = env.entra.keys
        if spare_key().jwk() in keys.published:
            keys.retire(spare_key().kid)
        keys.published.append(new_key().jwk())
        after = await env.send(env.request(_token_by(env, new_key())))
        roll = _rolls[env.entra] = _Roll(before, after)
    return roll


@check(
    "T170",
    "accepts a token signed with a new key at once",
    level="sign-in",
    source="entra-docs signing-key-rollover.md: refresh on an unknown kid; emergency rollovers happen without notice",
    why="Until the next refresh, up to a day later, every sign-in would fail.",
    fix=_FIX,
    explain=(
        "Publishes a new key and sends the valid event with a token signed with it.\nExpected: 200 to the first call."
    ),
    needs=FRESH,
)
async def accepts_new_key(env: CheckEnvironment) -> CheckOutcome:
    """Judge the response to the first token signed with the new key."""
    response = (await _rolled(env)).new_after
    return judged(response, "HTTP 200", None if response.status == 200 else str(response))


@check(
    "T171",
    "refuses a token signed with a withdrawn key",
    level="hardening",
    source=f"{_ROLLOVER}: a key that is no longer published must not be used",
    why="A key is withdrawn because someone else may have it.",
    fix=_FIX,
    explain=(
        "Sends a token signed with a published key, which must be answered 200. Then withdraws that key, and "
        "sends a token signed with a new key, which makes the endpoint read the document again.\nSends a token"
        " signed with the withdrawn key.\nExpected: 401."
    ),
    needs=FRESH,
)
async def refuses_withdrawn_key(env: CheckEnvironment) -> CheckOutcome:
    """Require that a token is accepted before its key is withdrawn, and refused after."""
    roll = await _rolled(env)
    for what, response in (
        ("signed with the key before it was withdrawn", roll.spare_before),
        ("signed with the new key", roll.new_after),
    ):
        if response.status != 200:
            return skipped("HTTP 401", f"the token {what} was refused ({response}), so a refusal proves nothing")
    withdrawn = env.request(_token_by(env, spare_key()))
    return await must_refuse(env, withdrawn, control=env.good_request())


@check(
    "T172",
    "still accepts the old key after a rollover",
    level="sign-in",
    source="entra-docs signing-key-rollover.md: several keys are valid at the same time, in any order",
    why="Entra continues to sign with the old key for some time.",
    fix=_FIX,
    explain=(
        "Publishes a new key in addition to the old one, sends a token signed with the new key, and then one "
        "signed with the old key.\nExpected: 200."
    ),
    needs=FRESH,
)
async def accepts_old_key(env: CheckEnvironment) -> CheckOutcome:
    """Send the usual token after the rollover."""
    await _rolled(env)
    return await must_answer(env, env.good_request())


@check(
    "T173",
    "fetches the keys at most once for fifty unknown key ids",
    level="hardening",
    source=f"{_ROLLOVER}: not more often than every five minutes; ours: one minute",
    why="Anyone can invent key ids. A fetch for each slows every sign-in, and Entra throttles the endpoint.",
    fix=_FIX,
    explain=(
        "Sends fifty tokens at once, each with a different invented key id, and counts the fetches.\nExpected: "
        "401 to each, at most one fetch of each key document, and 200 to the valid request afterwards."
    ),
    needs=FRESH,
)
async def fetches_once_for_unknown_keys(env: CheckEnvironment) -> CheckOutcome:
    """Count the requests to the emulated Entra."""
    expected = "HTTP 401 to each, at most 1 fetch of each document"
    forge = TokenForge(env)
    before = Counter(env.entra.hits)
    requests = [env.request(forge.with_header(kid=f"invented-{n}")) for n in range(_UNKNOWN_IDS)]
    responses = await asyncio.gather(*(env.send(request) for request in requests))
    fetched = Counter(env.entra.hits) - before
    good = await must_answer(env, env.good_request())
    if good.status != "pass":
        return good
    others = [response for response in responses if response.status != 401]
    if others:
        return failed(others[0], expected, f"{others[0]} to {len(others)} of {_UNKNOWN_IDS}")
    most = max(fetched.values(), default=0)
    report = f"{most} fetches of one document for {_UNKNOWN_IDS} tokens"
    return judged(responses[0], expected, None if most <= 1 else report, actual=report)


@check(
    "T174",
    "continues while the key host is down",
    level="sign-in",
    source=f"{_ROLLOVER}: keep the last good keys",
    why="A short outage of the metadata would be an outage of every sign-in.",
    fix=_FIX,
    explain=(
        "Sends the valid request, which must be answered 200. Then metadata and keys are answered 503, and the"
        " valid request is sent twice, with a request under an unknown key id in between.\nExpected: 200 to the "
        "valid requests."
    ),
    needs=FRESH,
)
async def survives_an_outage(env: CheckEnvironment) -> CheckOutcome:
    """Send valid requests during an outage of the key host, after one before it."""
    before = await env.send(env.good_request())
    if before.status != 200:
        return skipped("HTTP 200", f"the valid request was refused before the outage ({before})")
    env.entra.outage = True
    try:
        first = await must_answer(env, env.good_request())
        if first.status != "pass":
            return first
        await env.send(env.request(TokenForge(env).with_header(kid="invented-in-an-outage")))
        return await must_answer(env, env.good_request())
    finally:
        env.entra.outage = False

"""T170 to T179: key rolls and outages of the key host. These need an app that was not yet asked for an unknown key.

The emulated Entra publishes a spare key before the endpoint starts. The roll takes it out and puts a new one in,
while the key that signs everything else stays, so that the other checks notice nothing.
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
    "Refresh the keys in the background and, at most once in a while, when a token names an unknown one; replace the "
    "set as a whole, and keep it while the host is down. claims/token/keys.py shows it."
)


@cache
def spare_key() -> SigningKeyPair:
    """Give the key that is published from the start and withdrawn by the roll."""
    return generate_signing_key()


@cache
def new_key() -> SigningKeyPair:
    """Give the key that the roll publishes."""
    return generate_signing_key()


def publish_for_checks(entra: EntraServer) -> None:
    """Publish what the key checks need; call it before the endpoint first reads the key document."""
    publish_hostile_keys(entra.keys, other_issuer=entra.other_issuer)
    entra.keys.published.append(spare_key().jwk())


@dataclass(frozen=True, slots=True)
class _Roll:
    """One key roll and how the endpoint took it.

    Attributes:
        spare_before: The answer to a token of the spare key, before it was withdrawn.
        new_after: The answer to the first token of the new key.
    """

    spare_before: RawResponse
    new_after: RawResponse


_rolls: Final[WeakKeyDictionary[EntraServer, _Roll]] = WeakKeyDictionary()


def _token_by(env: CheckEnvironment, key: SigningKeyPair) -> str:
    forge = TokenForge(env)
    return forge.signed(header=forge.header(kid=key.kid), key=key)


async def _rolled(env: CheckEnvironment) -> _Roll:
    """Roll the keys once for a bench; whichever check comes first does it."""
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
    "accepts a token of a new key at once",
    source=f"{_ROLLOVER}: refresh on an unknown kid; emergency rolls happen without notice",
    why="Between a roll and the next refresh every sign-in would fail, for up to a day.",
    fix=_FIX,
    explain="Publishes a new key, sends the good event with a token that it signed.\nWanted: 200 to the first call.",
    needs=FRESH,
)
async def accepts_new_key(env: CheckEnvironment) -> CheckOutcome:
    """Judge the answer to the first token of the new key."""
    response = (await _rolled(env)).new_after
    return judged(response, "HTTP 200", None if response.status == 200 else str(response))


@check(
    "T171",
    "refuses a token of a withdrawn key",
    source=f"{_ROLLOVER}: a key that is no longer published must not be used",
    why="Keys are withdrawn because somebody else has them.",
    fix=_FIX,
    explain="Sends a token of a published key, which must be answered 200. Then that key is withdrawn, and a token of "
    "a new key makes the endpoint read the document again.\nSends a token of the withdrawn key.\nWanted: 401.",
    needs=FRESH,
)
async def refuses_withdrawn_key(env: CheckEnvironment) -> CheckOutcome:
    """Want the same kind of token believed before and refused after."""
    roll = await _rolled(env)
    for what, response in (("before it was withdrawn", roll.spare_before), ("of the new key", roll.new_after)):
        if response.status != 200:
            return skipped("HTTP 401", f"the token {what} was refused ({response}), so a refusal proves nothing")
    withdrawn = env.request(_token_by(env, spare_key()))
    return await must_refuse(env, withdrawn, control=env.good_request())


@check(
    "T172",
    "still accepts the old key after a roll",
    source=f"{_ROLLOVER}: several keys are valid at once, in no order",
    why="Entra goes on signing with the old key for a while.",
    fix=_FIX,
    explain="Publishes a new key beside the old one, lets the endpoint meet it, then sends a token of the old one."
    "\nWanted: 200.",
    needs=FRESH,
)
async def accepts_old_key(env: CheckEnvironment) -> CheckOutcome:
    """Send the usual token after the roll."""
    await _rolled(env)
    return await must_answer(env, env.good_request())


@check(
    "T173",
    "fetches the keys at most once for fifty unknown key ids",
    source=f"{_ROLLOVER}: not more often than every five minutes; ours: one minute",
    why="Anybody can invent key ids. A fetch for each slows every sign-in and gets the endpoint throttled by Entra.",
    fix=_FIX,
    explain="Sends fifty tokens at once, each under another invented key id, and counts what is fetched.\nWanted: 401 "
    "to each, at most one fetch of each key document, and the good request answered 200 afterwards.",
    needs=FRESH,
)
async def fetches_once_for_unknown_keys(env: CheckEnvironment) -> CheckOutcome:
    """Count the emulated Entra's requests."""
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
    "goes on while the key host is down",
    source=f"{_ROLLOVER}: keep the last good keys",
    why="A short outage of the metadata would be an outage of every sign-in.",
    fix=_FIX,
    explain="Sends the good request, which must be answered 200. Then lets metadata and keys answer 503, and sends it "
    "twice, with one under an unknown key id between."
    "\nWanted: 200 to the good ones.",
    needs=FRESH,
)
async def survives_an_outage(env: CheckEnvironment) -> CheckOutcome:
    """Send good requests while nothing can be fetched, after one while everything can."""
    before = await env.send(env.good_request())
    if before.status != 200:
        return skipped("HTTP 200", f"the good request was refused before the outage ({before})")
    env.entra.outage = True
    try:
        first = await must_answer(env, env.good_request())
        if first.status != "pass":
            return first
        await env.send(env.request(TokenForge(env).with_header(kid="invented-in-an-outage")))
        return await must_answer(env, env.good_request())
    finally:
        env.entra.outage = False

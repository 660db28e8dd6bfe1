"""T170 to T179: key rollovers and outages of the key host.

They run before the checks that send unknown key ids, because a library looks for those once in 30 s to five minutes. A
spare key is published from the start. The rollover replaces it with a new one; the key that signs everything else
stays, so that the other checks are not affected. In the next run the new key is the spare one: an endpoint that runs
elsewhere then knows it, and the rollover has a key again that it does not know.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Final
from weakref import WeakKeyDictionary

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawResponse
from selftest.checks.expectations import failed, judged, must_answer, must_refuse, passed, skipped
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ISSUER, CheckOutcome, check
from selftest.entra import key_store
from selftest.entra.key_fetches import COOL_DOWN_S
from selftest.entra.server import EntraServer
from selftest.entra.signing import SigningKeyPair

_UNKNOWN_IDS: Final = 50


#: An endpoint may read the keys in the background while it refuses the first calls.
_GRACE_S: Final = 5.0
#: The pause after any request for the keys of a library that has the shortest one: jose's cooldownDuration.
_SHORT_COOL_DOWN_S: Final = 31.0
_POLL_S: Final = 0.5
_rollover: Final = partial(check, needs=ISSUER, stage="rollover", timeout_s=120.0)


@dataclass(frozen=True, slots=True)
class _Roll:
    """One key rollover and the endpoint's responses.

    Attributes:
        spare: The key that was withdrawn.
        spare_before: The response to a token signed with the spare key, before it was withdrawn.
        new_after: The last response to a token signed with the new key.
        failed_for_s: How long tokens signed with the new key were refused.
        read: Whether the endpoint read the keys after the rollover.
        forced_s: How long before the rollover the endpoint was made to read the keys; None if it was not.
    """

    spare: SigningKeyPair
    spare_before: RawResponse
    new_after: RawResponse
    failed_for_s: float
    read: bool
    forced_s: float | None


_rolls: Final[WeakKeyDictionary[EntraServer, _Roll]] = WeakKeyDictionary()


def _token_by(env: CheckEnvironment, key: SigningKeyPair) -> str:
    forge = TokenForge(env)
    return forge.signed(header=forge.header(kid=key.kid), key=key)


async def _rolled(env: CheckEnvironment) -> _Roll:
    """Return the rollover of this environment; the first check that asks for it rolls the keys."""
    roll = _rolls.get(env.entra)
    if roll is None:
        roll = _rolls[env.entra] = await _roll(env)
    return roll


async def _roll(env: CheckEnvironment) -> _Roll:
    entra, keys = env.entra, env.entra.keys
    spare, new = (entra.store.rsa(name) for name in (key_store.SPARE, key_store.NEXT))
    env.fetches.expect_forced(env.url)
    before = await env.send(env.request(_token_by(env, spare)))
    forced_s, last_s = env.fetches.forced_age_s(env.url), env.fetches.read_age_s(entra.authority_url)
    read = entra.keys_read
    if spare.jwk() in keys.published:
        keys.retire(spare.kid)
    keys.published.append(new.jwk())
    after, failed_for_s = await _call_until_accepted(env, new, _GRACE_S)
    if after.status != 200 and entra.keys_read == read and last_s is not None and last_s < _SHORT_COOL_DOWN_S:
        left_s = _SHORT_COOL_DOWN_S - last_s
        env.say(
            f"no fault so far: a new signing key was published, and the endpoint last read the keys {last_s:.0f} s ago;"
            f" waiting {left_s:.0f} s, because some libraries read the keys at most once in 30 s"
        )
        after, longer_s = await _call_until_accepted(env, new, left_s)
        failed_for_s += longer_s
    if entra.keys_read > read:
        entra.store.next_rollover()
    return _Roll(spare, before, after, failed_for_s, entra.keys_read > read, forced_s)


async def _call_until_accepted(env: CheckEnvironment, key: SigningKeyPair, wait_s: float) -> tuple[RawResponse, float]:
    """Return the first 200 to a token of this key, or the last response, and for how many seconds calls failed."""
    response = await env.send(env.request(_token_by(env, key)))
    failed_for_s = 0.0
    while response.status != 200 and failed_for_s < wait_s:
        env.countdown(wait_s - failed_for_s)
        await env.sleep(_POLL_S)
        failed_for_s += _POLL_S
        response = await env.send(env.request(_token_by(env, key)))
    return response, failed_for_s


@_rollover("T170")
async def accepts_new_key(env: CheckEnvironment) -> CheckOutcome:
    """Judge the responses to tokens signed with the new key."""
    roll = await _rolled(env)
    expected, response = "HTTP 200 within 5 s", roll.new_after
    if response.status == 200:
        late = f" after {roll.failed_for_s:g} s of refusals" if roll.failed_for_s else ""
        return passed(response, expected, f"{response}{late}")
    if roll.read:
        return failed(response, expected, f"{response} for {roll.failed_for_s:g} s, although the keys were read again")
    if roll.forced_s is not None and roll.forced_s < COOL_DOWN_S:
        return skipped(
            expected,
            f"not checked: the endpoint was made to read the keys {roll.forced_s:.0f} s before, and libraries do that"
            f" once in five minutes; repeat the check in {COOL_DOWN_S - roll.forced_s:.0f} s, or restart the endpoint",
        )
    return failed(response, expected, f"{response} for {roll.failed_for_s:g} s, and the keys were not read again")


@_rollover("T171")
async def refuses_withdrawn_key(env: CheckEnvironment) -> CheckOutcome:
    """Require that a token is accepted before its key is withdrawn, and refused after."""
    roll = await _rolled(env)
    for what, response in (
        ("signed with the key before it was withdrawn", roll.spare_before),
        ("signed with the new key", roll.new_after),
    ):
        if response.status != 200:
            return skipped("HTTP 401", f"the token {what} was refused ({response}), so a refusal proves nothing")
    withdrawn = env.request(_token_by(env, roll.spare))
    return await must_refuse(env, withdrawn, control=env.good_request())


@_rollover("T172")
async def accepts_old_key(env: CheckEnvironment) -> CheckOutcome:
    """Send the usual token after the rollover."""
    roll = await _rolled(env)
    if roll.new_after.status != 200:
        return skipped("HTTP 200", f"the token signed with the new key was refused ({roll.new_after}): T170")
    return await must_answer(env, env.good_request())


@_rollover("T173")
async def fetches_once_for_unknown_keys(env: CheckEnvironment) -> CheckOutcome:
    """Count the requests to the emulated Entra."""
    expected = "a refusal of each, at most 1 fetch of each document"
    forge = TokenForge(env)
    before = Counter(env.entra.hits)
    requests = [env.request(forge.by_attacker(kid=f"invented-{n}")) for n in range(_UNKNOWN_IDS)]
    responses = await asyncio.gather(*(env.send(request) for request in requests))
    fetched = Counter(env.entra.hits) - before
    good = await must_answer(env, env.good_request())
    if good.status != "pass":
        return good
    # A response that does not come is judged by the valid request: what counts here are the fetches.
    accepted = [response for response in responses if response.status == 200]
    if accepted:
        return failed(accepted[0], expected, f"{accepted[0]} to {len(accepted)} of {_UNKNOWN_IDS}")
    most = max(fetched.values(), default=0)
    report = f"{most} fetches of one document for {_UNKNOWN_IDS} tokens"
    return judged(responses[0], expected, None if most <= 1 else report, actual=report)


@_rollover("T174")
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

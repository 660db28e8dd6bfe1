"""The time in which malformed keys are published: nothing else runs, and it ends with the sound document.

A library may give up a whole document for one malformed entry. An endpoint that the harness starts for this purpose
reads such a document first. One that runs elsewhere has to be asked for (``--malformed-keys``): it is made to read the
document by unknown key ids, and afterwards the run waits until the valid request is answered again.
"""

import argparse
import asyncio
from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.expectations import failed, must_refuse, passed, skipped
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import CheckOutcome
from selftest.entra.key_fetches import COOL_DOWN_S
from selftest.entra.server import EntraServer
from selftest.entra.signing import SigningKeyPair, generate_signing_key

#: The attacks of this time, by check, and the key that each is signed with.
_ATTACKS: Final[Mapping[str, str]] = {"T75": "key-ops-encrypt", "T77": "numeric-kid"}
_READS: Final = "T79"

_WAIT_S: Final = COOL_DOWN_S + 10.0
_POLL_S: Final = 2.0
#: A library may use what it reads in the background a moment later.
_TAKE_UP_S: Final = 1.0
MALFORMED_TIMEOUT_S: Final = 3 * _WAIT_S

_NOT_ASKED_FOR: Final = (
    "not checked: some libraries lose every key by one malformed entry, so these are published only with"
    " --malformed-keys"
)
_found: Final[WeakKeyDictionary[EntraServer, Mapping[str, CheckOutcome]]] = WeakKeyDictionary()


def add_malformed_keys_argument(parser: argparse.ArgumentParser) -> None:
    """Add the flag that allows to publish malformed keys while an endpoint runs elsewhere."""
    parser.add_argument(
        "--malformed-keys",
        action="store_true",
        help="with --url: publish malformed keys at the end; after these some libraries refuse all tokens for minutes",
    )


async def malformed_outcome(env: CheckEnvironment, check_id: str) -> CheckOutcome:
    """Return the outcome of one check; the first that is asked for runs all of them."""
    if env.entra not in _found:
        _found[env.entra] = await _outcomes(env)
    return _found[env.entra][check_id]


async def _outcomes(env: CheckEnvironment) -> Mapping[str, CheckOutcome]:
    if env.variant is not None and env.variant.malformed_keys:
        return await _judge(env)
    if not env.malformed_keys:
        return _all_skipped(_NOT_ASKED_FOR)
    before = await env.send(env.good_request())
    if before.status != 200:
        return _all_skipped(
            f"not checked: the valid request was refused before malformed keys were published ({before})"
        )
    sound = list(env.entra.keys.published)
    beside = await asyncio.to_thread(generate_signing_key)
    env.entra.publish_malformed()
    env.entra.keys.published.append(beside.jwk())
    try:
        if not await _made_to_read(env):
            return _all_skipped(f"not checked: the endpoint did not read the malformed keys within {_WAIT_S:.0f} s")
        await env.sleep(_TAKE_UP_S)
        outcomes = await _judge(env, beside)
    finally:
        env.entra.keys.published[:] = sound
    if not await _accepted_again(env):
        env.say(f"the endpoint still refuses valid tokens {_WAIT_S:.0f} s after the sound key document is back")
    return outcomes


async def _judge(env: CheckEnvironment, beside: SigningKeyPair | None = None) -> Mapping[str, CheckOutcome]:
    """Judge the endpoint while the malformed document is published.

    Args:
        env: The environment.
        beside: A key that only this document has: an endpoint that read it and does not know the key gave the document
            up and kept the keys that it had. None for an endpoint that had none before.
    """
    forge = TokenForge(env)
    token = env.good_token() if beside is None else forge.signed(header=forge.header(kid=beside.kid), key=beside)
    good = await env.send(env.request(token))
    expected = "HTTP 200"
    if not env.entra.keys_read:
        return _all_skipped("not checked: the endpoint has not read the document with the malformed keys")
    if good.status != 200:
        reason = f"not checked: the endpoint gave up the whole key document for its malformed entries ({_READS})"
        actual = f"{good} to a key published beside malformed entries: the library gave up the whole document"
        return {**_all_skipped(reason), _READS: failed(good, expected, actual)}
    outcomes = {_READS: passed(good, expected)}
    for check_id, name in _ATTACKS.items():
        key = next(each for each in env.entra.malformed if each.id == name)
        hostile = forge.signed(header=forge.header(kid=key.kid), key=key.private_key)
        outcomes[check_id] = await must_refuse(env, env.request(hostile), control=env.good_request())
    return outcomes


async def _made_to_read(env: CheckEnvironment) -> bool:
    """Whether the endpoint read the keys again; tokens with unknown key ids make it, at a limited rate."""
    forge = TokenForge(env)
    env.fetches.expect_forced(env.url)
    read, waited_s = env.entra.keys_read, 0.0
    while waited_s < _WAIT_S:
        await env.send(env.request(forge.by_attacker(kid=f"unknown-{env.new_id()}")))
        await env.sleep(_POLL_S)
        if env.entra.keys_read > read:
            return True
        if not waited_s:
            env.say(
                f"waiting at most {_WAIT_S:.0f} s until the endpoint reads the malformed keys; some libraries read the"
                " keys at most once in 30 s, others once in five minutes"
            )
        env.countdown(_WAIT_S - waited_s)
        waited_s += _POLL_S
    return False


async def _accepted_again(env: CheckEnvironment) -> bool:
    """Whether the endpoint accepts valid tokens again, at once or after a wait that is said."""
    waited_s = 0.0
    while waited_s < _WAIT_S:
        if (await env.send(env.good_request())).status == 200:
            return True
        if not waited_s:
            env.say(
                f"the sound key document is published again; waiting at most {_WAIT_S:.0f} s until the endpoint accepts"
                " valid tokens (a restart of the endpoint is faster)"
            )
        env.countdown(_WAIT_S - waited_s)
        await env.sleep(_POLL_S)
        waited_s += _POLL_S
    return False


def _all_skipped(reason: str) -> dict[str, CheckOutcome]:
    return {check_id: skipped("as the check's title says", reason) for check_id in (*_ATTACKS, _READS)}

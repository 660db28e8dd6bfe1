"""T70 to T79: published keys that must not verify a callout.

The emulated Entra publishes them together with the valid key, each with its own id and its own private key, and the
tokens are signed correctly with them. An endpoint that selects a key by ``kid`` alone accepts all of them. A refusal
counts only if the endpoint read the document that has the key.

The malformed entries are published alone and last, because a library may give up the whole document for one of them.
"""

from functools import partial
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.variant import MALFORMED_KEYS
from selftest.checks.expectations import must_refuse, skipped
from selftest.checks.forged_tokens import TokenForge, TokenMaker
from selftest.checks.registry import ISSUER, CheckOutcome, check
from selftest.checks.token.malformed_keys import MALFORMED_TIMEOUT_S, malformed_outcome
from selftest.entra.hostile_keys import HostileKey

_EXPLAIN: Final = (
    "Sends {sends}.\nEverything else in the request is valid. The same request without the fault is sent first and must"
    " be answered 200; a refusal counts if the endpoint has read the key document in this run.\nExpected: a refusal,"
    " which is any whole response but a 200."
)
_MALFORMED: Final = (
    "Publishes the malformed keys alone, as the last thing of the run, until the endpoint has read them. Sends {sends}"
    " while the valid request is answered 200.\nExpected: a refusal."
)


def _hostile(forge: TokenForge, name: str) -> HostileKey:
    return next(key for key in forge.env.entra.well_formed if key.id == name)


def _signed_by(name: str, *, alg: str | None = None) -> TokenMaker:
    """Return a function that signs with a hostile key; ``alg`` is the header's value, by default the key's."""

    def make(forge: TokenForge) -> str:
        key = _hostile(forge, name)
        header = forge.header(kid=key.kid, alg=alg or key.alg)
        return forge.signed(header=header, key=key.private_key, alg=alg or key.alg)

    return make


def _attack(check_id: str, token: TokenMaker) -> None:
    """Register a check that sends a token signed with a well-formed odd key."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        hostile = env.request(token(TokenForge(env)))
        outcome = await must_refuse(env, hostile, control=env.good_request())
        if outcome.status == "pass" and not env.entra.keys_read:
            reason = "not checked: the endpoint has not read this run's key document; restart it before the check"
            return skipped(outcome.expected, reason)
        return outcome

    check(check_id, needs=ISSUER, explain=_EXPLAIN)(run)


_attack("T70", _signed_by("use-enc"))
_attack("T71", _signed_by("ec-p256"))
_attack("T72", _signed_by("oct"))
_attack("T73", _signed_by("rsa-1024"))
_attack("T74", _signed_by("alg-rs512", alg="RS256"))
_attack("T76", _signed_by("other-issuer"))
_attack("T78", lambda forge: forge.by_attacker(kid=_hostile(forge, "ec-p256").kid))

for _id in ("T75", "T77", "T79"):
    check(
        _id,
        needs=ISSUER,
        variant=MALFORMED_KEYS,
        stage="malformed-keys",
        timeout_s=MALFORMED_TIMEOUT_S,
        explain=_MALFORMED,
    )(partial(malformed_outcome, check_id=_id))

"""T70 to T79: published keys that must not verify a callout.

The emulated Entra publishes them together with the valid key, each with its own id and its own private key, and the
tokens are signed correctly with them. An endpoint that selects a key by ``kid`` alone accepts all of them. A refusal
counts only if the endpoint read the document that has the key.

The malformed entries are published alone and last, because a library may give up the whole document for one of them.
"""

from typing import Final, Unpack

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.variant import MALFORMED_KEYS
from selftest.checks.expectations import must_refuse, skipped
from selftest.checks.forged_tokens import TokenForge, TokenMaker
from selftest.checks.registry import ISSUER, CheckOutcome, CheckTexts, check
from selftest.checks.token.malformed_keys import MALFORMED_TIMEOUT_S, malformed_outcome
from selftest.entra.hostile_keys import HostileKey

_FIX: Final = (
    "Keep only RSA keys of 2048 bits or more from the key document whose use, alg, key_ops and issuer, if"
    " present, allow RS256 signatures for the token's issuer. See claims/token/jwks.py."
)
_SOURCE: Final = "RFC 7517 section 4; RFC 8725 section 3.1"


def _hostile(forge: TokenForge, name: str) -> HostileKey:
    return next(key for key in forge.env.entra.well_formed if key.id == name)


def _signed_by(name: str, *, alg: str | None = None) -> TokenMaker:
    """Return a function that signs with a hostile key; ``alg`` is the header's value, by default the key's."""

    def make(forge: TokenForge) -> str:
        key = _hostile(forge, name)
        header = forge.header(kid=key.kid, alg=alg or key.alg)
        return forge.signed(header=header, key=key.private_key, alg=alg or key.alg)

    return make


def _attack(id: str, title: str, *, sends: str, token: TokenMaker, **texts: Unpack[CheckTexts]) -> None:  # noqa: A002 - the name of the field
    """Register a check that sends a token signed with a well-formed odd key."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        hostile = env.request(token(TokenForge(env)))
        outcome = await must_refuse(env, hostile, control=env.good_request())
        if outcome.status == "pass" and not env.entra.keys_read:
            reason = "not checked: the endpoint has not read this run's key document; restart it before the check"
            return skipped(outcome.expected, reason)
        return outcome

    explain = (
        f"Sends {sends}.\nEverything else in the request is valid. The same request without the fault is sent first and"
        " must be answered 200; a refusal counts if the endpoint has read the key document in this run.\nExpected: a"
        " refusal, which is any whole response but a 200."
    )
    check(id, title, explain=explain, needs=ISSUER, **texts)(run)


def _malformed(id: str, title: str, *, explain: str, **texts: Unpack[CheckTexts]) -> None:  # noqa: A002 - the name of the field
    """Register a check of the time in which the malformed keys are published."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        return await malformed_outcome(env, id)

    check(
        id,
        title,
        explain=explain,
        needs=ISSUER,
        variant=MALFORMED_KEYS,
        stage="malformed-keys",
        timeout_s=MALFORMED_TIMEOUT_S,
        **texts,
    )(run)


_SENDS: Final = (
    "Publishes the malformed keys alone, as the last thing of the run, until the endpoint has read them. Sends {} while"
    " the valid request is answered 200.\nExpected: a refusal."
)

_attack(
    "T70",
    "refuses a published key for encryption",
    level="hardening",
    sends="a token signed with a published RSA key whose use is enc",
    why="A key for reading the tenant's encrypted messages must not be valid for signing.",
    token=_signed_by("use-enc"),
    source="RFC 7517 section 4.2",
    bad='{"kty":"RSA","use":"enc",…}',
    good='{"kty":"RSA","use":"sig",…}',
    fix=_FIX,
)
_attack(
    "T71",
    "refuses a published key of another type (EC)",
    level="hardening",
    sends="an ES256 token signed with a published P-256 key",
    why="The algorithm fixes the key type; other published keys have other purposes.",
    token=_signed_by("ec-p256"),
    source=_SOURCE,
    fix=_FIX,
)
_attack(
    "T72",
    "refuses a published symmetric key",
    level="hardening",
    sends="an HS256 token signed with a published oct key",
    why="A secret in a public document is known to everyone.",
    token=_signed_by("oct"),
    source="RFC 7517 section 9.2: symmetric keys must not be disclosed",
    fix=_FIX,
)
_attack(
    "T73",
    "refuses a published RSA key of 1024 bits",
    level="hardening",
    sends="a token signed with a published RSA key of 1024 bits",
    why="Keys of that size can be broken.",
    token=_signed_by("rsa-1024"),
    source="RFC 7518 section 3.3: 2048 bits or larger must be used",
    fix=_FIX,
)
_attack(
    "T74",
    "refuses RS256 with a published key for RS512",
    level="hardening",
    sends="an RS256 token signed with a published RSA key whose alg is RS512",
    why="Each key is published for one algorithm; using it with another ignores its owner's decision.",
    token=_signed_by("alg-rs512", alg="RS256"),
    source="RFC 8725 section 3.1: each key must be used with exactly one algorithm",
    fix=_FIX,
)
_malformed(
    "T75",
    "refuses a published key whose operations do not include verify",
    level="hardening",
    explain=_SENDS.format('a token signed with a published RSA key whose key_ops is ["encrypt"]'),
    why="The key's owner declared its purpose.",
    source="RFC 7517 section 4.3",
    fix=_FIX,
)
_attack(
    "T76",
    "refuses a published key of another tenant",
    level="hardening",
    sends="a token of our issuer, signed with a published RSA key whose issuer is another tenant",
    why="Shared key documents contain the keys of several issuers; each key is valid for its own issuer only.",
    token=_signed_by("other-issuer"),
    source="entra-docs access-tokens.md: the key's issuer, if present, must be the token's",
    fix=_FIX,
)
_malformed(
    "T77",
    "refuses a published key whose id is not a string",
    level="hardening",
    explain=_SENDS.format(
        'a token signed with a published RSA key whose kid is the number 12345, under the kid "12345"'
    ),
    why="An entry that violates the format is not a key, even if its numbers verify the signature.",
    source="RFC 7517 section 4.5: kid must be a string",
    fix=_FIX,
)
_attack(
    "T78",
    "refuses RS256 under the id of a published EC key",
    level="security",
    sends="an RS256 token signed with the attacker's key under the key id of a published P-256 key",
    why="A verifier that gets a key of the wrong type raises, and a server error is not a refusal.",
    token=lambda forge: forge.by_attacker(kid=_hostile(forge, "ec-p256").kid),
    source=_SOURCE,
    fix=_FIX,
)
_malformed(
    "T79",
    "uses the valid key although malformed entries are published",
    level="hardening",
    source="RFC 7517 section 5: implementations should ignore JWKs that they cannot use",
    why="One unreadable entry would lock out every user until it is noticed.",
    fix="Read the entries one by one and skip those that cannot be read. See claims/token/jwks.py.",
    explain=(
        "Publishes, in front of the valid key, a string in place of a key, keys without a modulus, with an invalid one,"
        " with a number as kid, with key_ops that lack verify, and two with the same id, until the endpoint has read"
        " them. Sends the valid request, at an endpoint that runs elsewhere signed with a key that only this document"
        " has.\nExpected: 200. At an endpoint that runs elsewhere only with --malformed-keys."
    ),
)

"""T70 to T79: published keys that must not verify a callout.

The emulated Entra publishes them together with the valid key before the endpoint reads the document, each with its own
id, and the tokens are signed correctly with them. An endpoint that selects a key by ``kid`` alone accepts all of them.
"""

from functools import partial
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.expectations import must_answer, skipped
from selftest.checks.forged_tokens import TokenForge, TokenMaker
from selftest.checks.registry import ISSUER, CheckOutcome, check
from selftest.checks.token.refused import attack
from selftest.entra.hostile_keys import HostileKey, hostile_keys

_FIX: Final = (
    "Keep only RSA keys of 2048 bits or more from the key document whose use, alg, key_ops and issuer, if"
    " present, allow RS256 signatures for the token's issuer. See claims/token/jwks.py."
)


def _hostile(forge: TokenForge, name: str) -> HostileKey:
    return next(key for key in hostile_keys(other_issuer=forge.env.entra.other_issuer) if key.id == name)


def _signed_by(name: str, *, alg: str | None = None) -> TokenMaker:
    """Return a function that signs with a hostile key; ``alg`` is the header's value, by default the key's."""

    def make(forge: TokenForge) -> str:
        key = _hostile(forge, name)
        header = forge.header(kid=key.kid, alg=alg or key.alg)
        return forge.signed(header=header, key=key.private_key, alg=alg or key.alg)

    return make


_attack = partial(attack, source="RFC 7517 section 4; RFC 8725 section 3.1", fix=_FIX)
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
)
_attack(
    "T71",
    "refuses a published key of another type (EC)",
    level="hardening",
    sends="an ES256 token signed with a published P-256 key",
    why="The algorithm fixes the key type; other published keys have other purposes.",
    token=_signed_by("ec-p256"),
)
_attack(
    "T72",
    "refuses a published symmetric key",
    level="hardening",
    sends="an HS256 token signed with a published oct key",
    why="A secret in a public document is known to everyone.",
    token=_signed_by("oct"),
    source="RFC 7517 section 9.2: symmetric keys must not be disclosed",
)
_attack(
    "T73",
    "refuses a published RSA key of 1024 bits",
    level="hardening",
    sends="a token signed with a published RSA key of 1024 bits",
    why="Keys of that size can be broken.",
    token=_signed_by("rsa-1024"),
    source="RFC 7518 section 3.3: 2048 bits or larger must be used",
)
_attack(
    "T74",
    "refuses RS256 with a published key for RS512",
    level="hardening",
    sends="an RS256 token signed with a published RSA key whose alg is RS512",
    why="Each key is published for one algorithm; using it with another ignores its owner's decision.",
    token=_signed_by("alg-rs512", alg="RS256"),
    source="RFC 8725 section 3.1: each key must be used with exactly one algorithm",
)
_attack(
    "T75",
    "refuses a published key whose operations do not include verify",
    level="hardening",
    sends='a token signed with a published RSA key whose key_ops is ["encrypt"]',
    why="The key's owner declared its purpose.",
    token=_signed_by("key-ops-encrypt"),
    source="RFC 7517 section 4.3",
)
_attack(
    "T76",
    "refuses a published key of another tenant",
    level="hardening",
    sends="a token of our issuer, signed with a published RSA key whose issuer is another tenant",
    why="Shared key documents contain the keys of several issuers; each key is valid for its own issuer only.",
    token=_signed_by("other-issuer"),
    source="entra-docs access-tokens.md: the key's issuer, if present, must be the token's",
)
_attack(
    "T77",
    "refuses a published key whose id is not a string",
    level="hardening",
    sends='a token signed with a published RSA key whose kid is the number 12345, under the kid "12345"',
    why="An entry that violates the format is not a key, even if its numbers verify the signature.",
    token=_signed_by("numeric-kid"),
    source="RFC 7517 section 4.5: kid must be a string",
)
_attack(
    "T78",
    "refuses RS256 under the id of a published EC key",
    level="security",
    sends="an RS256 token signed with the attacker's key under the key id of a published P-256 key",
    why="A verifier that gets a key of the wrong type raises, and a server error is not a refusal.",
    token=lambda forge: forge.by_attacker(kid=_hostile(forge, "ec-p256").kid),
)


@check(
    "T79",
    "uses the valid key although malformed entries are published",
    level="hardening",
    source="RFC 7517 section 5: implementations should ignore JWKs that they cannot use",
    why="One unreadable entry would lock out every user until it is noticed.",
    fix="Read the entries one by one and skip those that cannot be read. See claims/token/jwks.py.",
    explain=(
        "The key document starts with a string in place of a key, and keys without a modulus, with an invalid"
        " one, and with a number as kid. Sends the valid request.\nExpected: 200."
    ),
    needs=ISSUER,
)
async def ignores_malformed_entries(env: CheckEnvironment) -> CheckOutcome:
    """Send the valid request if the malformed entries are published; skip otherwise."""
    forge = TokenForge(env)
    malformed = [_hostile(forge, name).jwk for name in ("not-an-object", "no-modulus", "bad-modulus")]
    if any(entry not in env.entra.keys.published for entry in malformed):
        return skipped("HTTP 200", "the malformed entries are not published")
    return await must_answer(env, env.good_request())

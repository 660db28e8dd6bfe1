"""T70 to T79: keys that the tenant's key document shows and that must not verify a callout.

The emulated Entra publishes them beside the good key before the endpoint reads the document, each with an id of its
own, and the tokens here are correctly signed by them. An endpoint that asks only for the right ``kid`` accepts all.
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
    "Keep from the key document only RSA keys of 2048 bits or more whose use, alg, key_ops and issuer, where they "
    "stand, allow RS256 signatures of the token's issuer. claims/token/jwks.py shows it."
)


def _hostile(forge: TokenForge, name: str) -> HostileKey:
    return next(key for key in hostile_keys(other_issuer=forge.env.entra.other_issuer) if key.id == name)


def _signed_by(name: str, *, alg: str | None = None) -> TokenMaker:
    """Sign with a hostile key under its own id; ``alg`` is what the header says, by default the truth."""

    def make(forge: TokenForge) -> str:
        key = _hostile(forge, name)
        header = forge.header(kid=key.kid, alg=alg or key.alg)
        return forge.signed(header=header, key=key.private_key, alg=alg or key.alg)

    return make


_attack = partial(attack, source="RFC 7517 section 4; RFC 8725 section 3.1", fix=_FIX)
_attack(
    "T70",
    "refuses a published key that is for encryption",
    sends="a token of a published RSA key whose use is enc",
    why="Who may read secret messages for the tenant must not sign for it.",
    token=_signed_by("use-enc"),
    source="RFC 7517 section 4.2",
    bad='{"kty":"RSA","use":"enc",…}',
    good='{"kty":"RSA","use":"sig",…}',
)
_attack(
    "T71",
    "refuses a published key of another kind (EC)",
    sends="an ES256 token of a published P-256 key",
    why="The algorithm is fixed, and with it the kind of key; what else is published is for others.",
    token=_signed_by("ec-p256"),
)
_attack(
    "T72",
    "refuses a published symmetric key",
    sends="an HS256 token of a published oct key",
    why="A secret that stands in a public document is everybody's.",
    token=_signed_by("oct"),
    source="RFC 7517 section 9.2: symmetric keys must not be disclosed",
)
_attack(
    "T73",
    "refuses a published RSA key of 1024 bits",
    sends="a token of a published RSA key of 1024 bits",
    why="Keys of that size can be broken.",
    token=_signed_by("rsa-1024"),
    source="RFC 7518 section 3.3: 2048 bits or larger must be used",
)
_attack(
    "T74",
    "refuses RS256 from a published key that is for RS512",
    sends="an RS256 token of a published RSA key whose alg is RS512",
    why="A key is made for one algorithm; using it with another undoes what its owner decided.",
    token=_signed_by("alg-rs512", alg="RS256"),
    source="RFC 8725 section 3.1: each key must be used with exactly one algorithm",
)
_attack(
    "T75",
    "refuses a published key whose operations leave out verifying",
    sends='a token of a published RSA key whose key_ops is ["encrypt"]',
    why="Its owner said what it is for.",
    token=_signed_by("key-ops-encrypt"),
    source="RFC 7517 section 4.3",
)
_attack(
    "T76",
    "refuses a published key of another tenant",
    sends="a token of our issuer, signed with a published RSA key whose issuer is another tenant's",
    why="Common key documents hold the keys of many issuers; each may sign for its own only.",
    token=_signed_by("other-issuer"),
    source="entra-docs access-tokens.md: the key's issuer, where it stands, must be the token's",
)
_attack(
    "T77",
    "refuses a published key whose id is not a string",
    sends="a token of a published RSA key whose kid is the number 12345, under the kid of that text",
    why="An entry that breaks the format is not a key, however well its numbers fit.",
    token=_signed_by("numeric-kid"),
    source="RFC 7517 section 4.5: kid must be a string",
)
_attack(
    "T78",
    "refuses RS256 under the id of a published EC key",
    sends="an RS256 token of the attacker's key under the key id of a published P-256 key",
    why="A verifier that is handed the wrong kind of key raises, and an error of the server is no refusal.",
    token=lambda forge: forge.by_attacker(kid=_hostile(forge, "ec-p256").kid),
)


@check(
    "T79",
    "uses the good key although malformed entries stand beside it",
    source="RFC 7517 section 5: implementations should ignore JWKs that they cannot use",
    why="One entry that cannot be read would lock every user out until somebody notices.",
    fix="Read the entries one by one and leave out what cannot be read. claims/token/jwks.py shows it.",
    explain="The key document starts with a text in place of a key, keys without a modulus, with a broken one, and "
    "with a number as kid. Sends the good request.\nWanted: 200.",
    needs=ISSUER,
)
async def ignores_malformed_entries(env: CheckEnvironment) -> CheckOutcome:
    """Prove it by the good token, and only where the malformed entries are really published."""
    forge = TokenForge(env)
    malformed = [_hostile(forge, name).jwk for name in ("not-an-object", "no-modulus", "bad-modulus")]
    if any(entry not in env.entra.keys.published for entry in malformed):
        return skipped("HTTP 200", "the malformed entries are not published, so nothing would be proved")
    return await must_answer(env, env.good_request())

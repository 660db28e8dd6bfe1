"""T30 to T43: the algorithm. The sender writes the header, so the header must not select how the token is verified."""

from functools import partial
from typing import Final

from selftest.checks.bench.raw_bytes import unsigned
from selftest.checks.forged_tokens import ABSENT, attacker_ec_key, attacker_ed25519_key
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import attack

_FIX: Final = (
    "Compare `alg` with the single string RS256 and select the key by `kid` among the tenant's RSA "
    "signing keys. Never look up an algorithm by the name in the header. See claims/token/validator.py."
)
_CONFUSION: Final = (
    "A verifier that passes the published key to HMAC uses it as a shared secret that everyone has (CVE-2016-10555)."
)
_NOT_RS256: Final = (
    "Every additional algorithm that the library can verify widens the attack surface; Entra signs with RS256."
)

_attack = partial(attack, source="RFC 8725 sections 2.1 and 3.1: the algorithm is the application's choice", fix=_FIX)
_attack(
    "T30",
    "refuses a token without a signature (alg none)",
    level="security",
    sends="valid claims under alg none with an empty signature",
    why="Anyone can write such a token (CVE-2015-2951).",
    token=lambda forge: unsigned(forge.header(alg="none"), forge.claims()),
    needs=ANYWHERE,
    bad='{"alg":"none"}',
    good='{"alg":"RS256"}',
)
_attack(
    "T31",
    "refuses alg none in any capitalization",
    level="security",
    sends="valid claims under alg nOnE with an empty signature",
    why="A list of forbidden names misses variants in other capitalization.",
    token=lambda forge: unsigned(forge.header(alg="nOnE"), forge.claims()),
    needs=ANYWHERE,
    bad='{"alg":"nOnE"}',
)
_attack(
    "T32",
    "refuses alg none with a real signature",
    level="hardening",
    sends="valid claims under alg none, signed with the tenant's key",
    why="The signature is ignored, so it could belong to any token.",
    token=lambda forge: forge.with_header(alg="none"),
)
_attack(
    "T33",
    "refuses a header without alg",
    level="hardening",
    sends="valid claims under a header without alg, signed with the tenant's key",
    why="A default algorithm is one that the sender selects by leaving alg out.",
    token=lambda forge: forge.with_header(alg=ABSENT),
    source="RFC 7515 section 4.1.1: alg must be present",
)
_attack(
    "T34",
    "refuses a list of algorithms",
    level="hardening",
    sends='valid claims under alg ["RS256"], signed with the tenant\'s key',
    why="Code that tests with `in` accepts a list in place of a name.",
    token=lambda forge: forge.with_header(alg=["RS256"]),
    bad='{"alg":["RS256"]}',
)
_attack(
    "T35",
    "refuses alg rs256 in lower case",
    level="hardening",
    sends="valid claims under alg rs256, signed with the tenant's key",
    why="Algorithm names are compared exactly; a case-insensitive comparison also admits variants of none.",
    token=lambda forge: forge.with_header(alg="rs256"),
    source="RFC 7515 section 4.1.1: the value is a case-sensitive string",
)
_attack(
    "T36",
    "refuses HS256 keyed with the public key as PEM",
    level="security",
    sends="valid claims under alg HS256, with the PEM text of the tenant's public key as the secret",
    why=_CONFUSION,
    token=lambda forge: forge.signed(header=forge.header(alg="HS256"), key=forge.public_pem(), alg="HS256"),
    needs=ANYWHERE,
)
_attack(
    "T37",
    "refuses HS256 keyed with the public modulus",
    level="security",
    sends="valid claims under alg HS256, with the bytes of the published modulus as the secret",
    why=_CONFUSION,
    token=lambda forge: forge.signed(header=forge.header(alg="HS256"), key=forge.public_modulus(), alg="HS256"),
    needs=ANYWHERE,
)
_attack(
    "T38",
    "refuses HS256 keyed with the published JWK",
    level="security",
    sends="valid claims under alg HS256, with the JSON text of the published key as the secret",
    why=_CONFUSION,
    token=lambda forge: forge.signed(header=forge.header(alg="HS256"), key=forge.public_jwk(), alg="HS256"),
    needs=ANYWHERE,
)
_attack(
    "T39",
    "refuses RS384",
    level="hardening",
    sends="valid claims under alg RS384, signed correctly with the tenant's key",
    why=_NOT_RS256,
    token=lambda forge: forge.signed(header=forge.header(alg="RS384"), alg="RS384"),
)
_attack(
    "T40",
    "refuses RS512",
    level="hardening",
    sends="valid claims under alg RS512, signed correctly with the tenant's key",
    why=_NOT_RS256,
    token=lambda forge: forge.signed(header=forge.header(alg="RS512"), alg="RS512"),
)
_attack(
    "T41",
    "refuses PS256",
    level="hardening",
    sends="valid claims under alg PS256, signed correctly with the tenant's key",
    why=_NOT_RS256,
    token=lambda forge: forge.signed(header=forge.header(alg="PS256"), alg="PS256"),
)
_attack(
    "T42",
    "refuses ES256",
    level="security",
    sends="valid claims under alg ES256, signed with the attacker's P-256 key under the tenant's key id",
    why="A library that takes the key type from the header may take the key from it, too.",
    token=lambda forge: forge.signed(header=forge.header(alg="ES256"), key=attacker_ec_key(), alg="ES256"),
    needs=ANYWHERE,
)
_attack(
    "T43",
    "refuses EdDSA",
    level="security",
    sends="valid claims under alg EdDSA, signed with the attacker's Ed25519 key under the tenant's key id",
    why="A library that takes the key type from the header may take the key from it, too.",
    token=lambda forge: forge.signed(header=forge.header(alg="EdDSA"), key=attacker_ed25519_key(), alg="EdDSA"),
    needs=ANYWHERE,
)

"""T30 to T43: the algorithm. The sender writes the header, so the header must not choose how it is checked."""

from typing import Final

from selftest.checks.bench.raw_bytes import unsigned
from selftest.checks.forged_tokens import ABSENT, attacker_ec_key, attacker_ed25519_key
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import Attack, register_attacks

_FIX: Final = (
    "Compare `alg` with the one string RS256 and choose the key by `kid` among the tenant's RSA signing keys; "
    "never look an algorithm up by the name in the header. claims/token/validator.py shows it."
)
_CONFUSION: Final = (
    "A verifier that feeds the published key to HMAC takes it for a shared secret, and everybody has it "
    "(CVE-2016-10555)."
)
_NOT_RS256: Final = "Whatever else the library can verify is a way in that nobody planned; Entra signs with RS256."

_ATTACKS: Final = (
    Attack(
        id="T30",
        title="refuses a token without a signature (alg none)",
        sends="good claims under alg none with an empty signature",
        why="Such a token is written by anybody (CVE-2015-2951).",
        token=lambda forge: unsigned(forge.header(alg="none"), forge.claims()),
        needs=ANYWHERE,
        fix=_FIX,
        bad='{"alg":"none"}',
        good='{"alg":"RS256"}',
    ),
    Attack(
        id="T31",
        title="refuses alg none in any case",
        sends="good claims under alg nOnE with an empty signature",
        why="A list of forbidden names forgets a spelling.",
        token=lambda forge: unsigned(forge.header(alg="nOnE"), forge.claims()),
        needs=ANYWHERE,
        fix=_FIX,
        bad='{"alg":"nOnE"}',
    ),
    Attack(
        id="T32",
        title="refuses alg none over a real signature",
        sends="good claims under alg none, signed with the tenant's key",
        fix=_FIX,
        why="The signature is not looked at, so it may as well be another token's.",
        token=lambda forge: forge.with_header(alg="none"),
    ),
    Attack(
        id="T33",
        title="refuses a header without alg",
        sends="good claims under a header without alg, signed with the tenant's key",
        fix=_FIX,
        why="A default that fills the gap is an algorithm that the sender chose by silence.",
        token=lambda forge: forge.with_header(alg=ABSENT),
        source="RFC 7515 section 4.1.1: alg must be present",
    ),
    Attack(
        id="T34",
        title="refuses a list of algorithms",
        sends='good claims under alg ["RS256"], signed with the tenant\'s key',
        why="Code that asks whether the name is `in` something takes a list for a name.",
        token=lambda forge: forge.with_header(alg=["RS256"]),
        fix=_FIX,
        bad='{"alg":["RS256"]}',
    ),
    Attack(
        id="T35",
        title="refuses rs256 in lower case",
        sends="good claims under alg rs256, signed with the tenant's key",
        fix=_FIX,
        why="Names of algorithms are compared exactly; where case does not matter, NONE is near.",
        token=lambda forge: forge.with_header(alg="rs256"),
        source="RFC 7515 section 4.1.1: the value is a case-sensitive string",
    ),
    Attack(
        id="T36",
        title="refuses HS256 keyed with the public key as PEM",
        sends="good claims under alg HS256, with the PEM text of the tenant's public key as the secret",
        fix=_FIX,
        why=_CONFUSION,
        token=lambda forge: forge.signed(header=forge.header(alg="HS256"), key=forge.public_pem(), alg="HS256"),
        needs=ANYWHERE,
    ),
    Attack(
        id="T37",
        title="refuses HS256 keyed with the modulus",
        sends="good claims under alg HS256, with the bytes of the published modulus as the secret",
        fix=_FIX,
        why=_CONFUSION,
        token=lambda forge: forge.signed(header=forge.header(alg="HS256"), key=forge.public_modulus(), alg="HS256"),
        needs=ANYWHERE,
    ),
    Attack(
        id="T38",
        title="refuses HS256 keyed with the published JWK",
        sends="good claims under alg HS256, with the JSON text of the published key as the secret",
        fix=_FIX,
        why=_CONFUSION,
        token=lambda forge: forge.signed(header=forge.header(alg="HS256"), key=forge.public_jwk(), alg="HS256"),
        needs=ANYWHERE,
    ),
    Attack(
        id="T39",
        title="refuses RS384",
        sends="good claims under alg RS384, correctly signed so with the tenant's key",
        fix=_FIX,
        why=_NOT_RS256,
        token=lambda forge: forge.signed(header=forge.header(alg="RS384"), alg="RS384"),
    ),
    Attack(
        id="T40",
        title="refuses RS512",
        sends="good claims under alg RS512, correctly signed so with the tenant's key",
        fix=_FIX,
        why=_NOT_RS256,
        token=lambda forge: forge.signed(header=forge.header(alg="RS512"), alg="RS512"),
    ),
    Attack(
        id="T41",
        title="refuses PS256",
        sends="good claims under alg PS256, correctly signed so with the tenant's key",
        fix=_FIX,
        why=_NOT_RS256,
        token=lambda forge: forge.signed(header=forge.header(alg="PS256"), alg="PS256"),
    ),
    Attack(
        id="T42",
        title="refuses ES256",
        sends="good claims under alg ES256, signed with the attacker's P-256 key under the tenant's key id",
        fix=_FIX,
        why="A library that takes the key's kind from the header may take the key from there too.",
        token=lambda forge: forge.signed(header=forge.header(alg="ES256"), key=attacker_ec_key(), alg="ES256"),
        needs=ANYWHERE,
    ),
    Attack(
        id="T43",
        title="refuses EdDSA",
        sends="good claims under alg EdDSA, signed with the attacker's Ed25519 key under the tenant's key id",
        fix=_FIX,
        why="A library that takes the key's kind from the header may take the key from there too.",
        token=lambda forge: forge.signed(header=forge.header(alg="EdDSA"), key=attacker_ed25519_key(), alg="EdDSA"),
        needs=ANYWHERE,
    ),
)

register_attacks(_ATTACKS, source="RFC 8725 sections 2.1 and 3.1: the algorithm is the application's choice")

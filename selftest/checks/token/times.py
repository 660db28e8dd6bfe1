"""T120 to T139: the token's validity period. A date is a finite JSON number."""

from functools import partial
from typing import Final

from selftest.checks.bench.raw_bytes import spell
from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.token.refused import attack

_HOUR_S: Final = 3600
_FIX: Final = (
    "Require exp, nbf and iat as finite JSON numbers, not strings or booleans, and compare them with one "
    "reading of the clock and a leeway of about a minute. See claims/token/rules.py."
)
_FOR_EVER: Final = "A token that never expires is a password; anyone who sees it in a log can use it."
_MISSING: Final = "Libraries validate only the claims that are present; a missing one passes unless it is required."
_LOOKALIKE: Final = (
    "Languages convert such a value into a number in different ways, some into one that is never in the past."
)


def _spelt(forge: TokenForge, name: str, literal: str) -> str:
    return forge.signed(payload=spell(forge.claims(), name, literal))


_expiry_attack = partial(attack, source="RFC 7519 sections 2 (NumericDate) and 4.1.4", fix=_FIX)
_expiry_attack(
    "T120",
    "refuses an expired token",
    level="security",
    sends="a token whose exp is an hour in the past",
    why=_FOR_EVER,
    token=lambda forge: forge.with_claims(exp=forge.now_s - _HOUR_S),
)
_expiry_attack(
    "T121",
    "refuses a token without an expiry",
    level="hardening",
    sends="a token without exp",
    why=_MISSING,
    token=lambda forge: forge.with_claims(exp=ABSENT),
)
_expiry_attack(
    "T122",
    "refuses an expiry that is a string",
    level="hardening",
    sends="a token whose exp is a valid time as a string",
    why=_LOOKALIKE,
    token=lambda forge: forge.with_claims(exp=str(forge.now_s + _HOUR_S)),
    bad='{"exp":"1900000000"}',
    good='{"exp":1900000000}',
)
_expiry_attack(
    "T123",
    "refuses an expiry that is a boolean",
    level="hardening",
    sends="a token whose exp is true",
    why=_LOOKALIKE,
    token=lambda forge: forge.with_claims(exp=True),
)
_expiry_attack(
    "T124",
    "refuses an expiry that no number can hold",
    level="hardening",
    sends="a token whose exp is 1e999, which a double cannot hold",
    why="It is read as infinity: the token never expires.",
    token=lambda forge: _spelt(forge, "exp", "1e999"),
    bad='{"exp":1e999}',
)
_expiry_attack(
    "T125",
    "refuses an expiry that is not a number (NaN)",
    level="hardening",
    sends="a token whose exp is NaN",
    why="Every comparison with NaN is false, so `exp < now` never refuses it.",
    token=lambda forge: _spelt(forge, "exp", "NaN"),
    bad='{"exp":NaN}',
)
_expiry_attack(
    "T126",
    "refuses a negative expiry",
    level="hardening",
    sends="a token whose exp is -1",
    why="It is in the past; a parser of unsigned numbers reads it as a distant future date.",
    token=lambda forge: forge.with_claims(exp=-1),
)
_expiry_attack(
    "T127",
    "refuses an expiry that is null",
    level="hardening",
    sends="a token whose exp is null",
    why="If null counts as absent and absent as valid, the token never expires.",
    token=lambda forge: forge.with_claims(exp=None),
)


_beginning_attack = partial(attack, source="RFC 7519 sections 2 (NumericDate), 4.1.5 and 4.1.6", fix=_FIX)
_beginning_attack(
    "T130",
    "refuses a token that is not yet valid",
    level="hardening",
    sends="a token whose nbf is an hour in the future",
    why="A token for later use must not be usable now.",
    token=lambda forge: forge.with_claims(nbf=forge.now_s + _HOUR_S),
)
_beginning_attack(
    "T131",
    "refuses a not-before time that is a string",
    level="hardening",
    sends="a token whose nbf is a valid time as a string",
    why=_LOOKALIKE,
    token=lambda forge: forge.with_claims(nbf=str(forge.now_s - _HOUR_S)),
)
_beginning_attack(
    "T132",
    "refuses a token without a not-before time",
    level="hardening",
    sends="a token without nbf",
    why=_MISSING,
    token=lambda forge: forge.with_claims(nbf=ABSENT),
)
_beginning_attack(
    "T133",
    "refuses a token issued in the future",
    level="hardening",
    sends="a token whose iat is an hour in the future",
    why="No token is issued in the future; either the issuer's clock or the token is wrong.",
    token=lambda forge: forge.with_claims(iat=forge.now_s + _HOUR_S),
    source="ours: every access token of Entra carries iat, and iat cannot be in the future",
)
_beginning_attack(
    "T134",
    "refuses an issued-at time that is a string",
    level="hardening",
    sends="a token whose iat is a valid time as a string",
    why=_LOOKALIKE,
    token=lambda forge: forge.with_claims(iat=str(forge.now_s - _HOUR_S)),
)
_beginning_attack(
    "T135",
    "refuses a token without an issued-at time",
    level="hardening",
    sends="a token without iat",
    why=_MISSING,
    token=lambda forge: forge.with_claims(iat=ABSENT),
    source="ours: every access token of Entra carries iat",
)

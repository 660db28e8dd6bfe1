"""T120 to T139: when the token is valid. A date is a finite JSON number, and nothing that merely looks like one."""

from typing import Final

from selftest.checks.bench.raw_bytes import spell
from selftest.checks.forged_tokens import ABSENT, Forge
from selftest.checks.token.refused import Attack, register_attacks

_HOUR_S: Final = 3600
_FIX: Final = (
    "Require exp, nbf and iat as finite JSON numbers, neither text nor boolean, and compare them with one reading of "
    "the clock and a leeway of about a minute. claims/token/rules.py shows it."
)
_FOR_EVER: Final = "A token that never expires is a password; whoever saw it once in a log can use it."
_MISSING: Final = "Libraries check what is there; what is missing passes unless it is required."
_LOOKALIKE: Final = (
    "Languages turn such a value into a number in their own ways, and some of them into one that never is in the past."
)


def _spelt(forge: Forge, name: str, literal: str) -> str:
    return forge.signed(payload=spell(forge.claims(), name, literal))


_EXPIRY: Final = (
    Attack(
        id="T120",
        title="refuses an expired token",
        sends="a token whose exp is an hour past",
        why=_FOR_EVER,
        token=lambda forge: forge.with_claims(exp=forge.now_s - _HOUR_S),
        fix=_FIX,
    ),
    Attack(
        id="T121",
        title="refuses a token without an expiry",
        sends="a token without exp",
        why=_MISSING,
        token=lambda forge: forge.with_claims(exp=ABSENT),
        fix=_FIX,
    ),
    Attack(
        id="T122",
        title="refuses an expiry that is a string",
        sends="a token whose exp is a good time as text",
        why=_LOOKALIKE,
        token=lambda forge: forge.with_claims(exp=str(forge.now_s + _HOUR_S)),
        fix=_FIX,
        bad='{"exp":"1900000000"}',
        good='{"exp":1900000000}',
    ),
    Attack(
        id="T123",
        title="refuses an expiry that is a boolean",
        sends="a token whose exp is true",
        why=_LOOKALIKE,
        token=lambda forge: forge.with_claims(exp=True),
        fix=_FIX,
    ),
    Attack(
        id="T124",
        title="refuses an expiry beyond every number",
        sends="a token whose exp is 1e999, which no double can hold",
        why="It reads as infinity: a token that never expires.",
        token=lambda forge: _spelt(forge, "exp", "1e999"),
        fix=_FIX,
        bad='{"exp":1e999}',
    ),
    Attack(
        id="T125",
        title="refuses an expiry that is not a number (NaN)",
        sends="a token whose exp is NaN",
        why="Every comparison with NaN is false, so `exp < now` never refuses it.",
        token=lambda forge: _spelt(forge, "exp", "NaN"),
        fix=_FIX,
        bad='{"exp":NaN}',
    ),
    Attack(
        id="T126",
        title="refuses a negative expiry",
        sends="a token whose exp is -1",
        why="It is past; a reader without a sign takes it for the far future.",
        token=lambda forge: forge.with_claims(exp=-1),
        fix=_FIX,
    ),
    Attack(
        id="T127",
        title="refuses an expiry that is null",
        sends="a token whose exp is null",
        why="Where null counts as absent and absent as fine, the token never expires.",
        token=lambda forge: forge.with_claims(exp=None),
        fix=_FIX,
    ),
)

_BEGINNING: Final = (
    Attack(
        id="T130",
        title="refuses a token that is not yet valid",
        sends="a token whose nbf is an hour to come",
        why="A token made for later must not be usable now.",
        token=lambda forge: forge.with_claims(nbf=forge.now_s + _HOUR_S),
        fix=_FIX,
    ),
    Attack(
        id="T131",
        title="refuses a beginning that is a string",
        sends="a token whose nbf is a good time as text",
        why=_LOOKALIKE,
        token=lambda forge: forge.with_claims(nbf=str(forge.now_s - _HOUR_S)),
        fix=_FIX,
    ),
    Attack(
        id="T132",
        title="refuses a token without a beginning",
        sends="a token without nbf",
        why=_MISSING,
        token=lambda forge: forge.with_claims(nbf=ABSENT),
        fix=_FIX,
    ),
    Attack(
        id="T133",
        title="refuses a token issued in the future",
        sends="a token whose iat is an hour to come",
        why="Nobody issues tokens in the future; the issuer's clock or the token is false.",
        token=lambda forge: forge.with_claims(iat=forge.now_s + _HOUR_S),
        fix=_FIX,
        source="ours: every access token of Entra carries iat, and iat cannot be to come",
    ),
    Attack(
        id="T134",
        title="refuses a time of issue that is a string",
        sends="a token whose iat is a good time as text",
        why=_LOOKALIKE,
        token=lambda forge: forge.with_claims(iat=str(forge.now_s - _HOUR_S)),
        fix=_FIX,
    ),
    Attack(
        id="T135",
        title="refuses a token without a time of issue",
        sends="a token without iat",
        why=_MISSING,
        token=lambda forge: forge.with_claims(iat=ABSENT),
        fix=_FIX,
        source="ours: every access token of Entra carries iat",
    ),
)

register_attacks(_EXPIRY, source="RFC 7519 sections 2 (NumericDate) and 4.1.4")
register_attacks(_BEGINNING, source="RFC 7519 sections 2 (NumericDate), 4.1.5 and 4.1.6")

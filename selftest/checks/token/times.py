"""T120 to T139: the token's validity period. A date is a finite JSON number."""

from typing import Final

from selftest.checks.bench.raw_bytes import spell
from selftest.checks.forged_tokens import ABSENT, TokenMaker
from selftest.checks.token.refused import attack

_HOUR_S: Final = 3600


def _expires(literal: str) -> TokenMaker:
    """Return a function that makes a token whose exp is this text."""
    return lambda forge: forge.signed(payload=spell(forge.claims(), "exp", literal))


attack("T120", lambda forge: forge.with_claims(exp=forge.now_s - _HOUR_S))
attack("T121", lambda forge: forge.with_claims(exp=ABSENT))
attack("T122", lambda forge: forge.with_claims(exp=str(forge.now_s + _HOUR_S)))
attack("T123", lambda forge: forge.with_claims(exp=True))
attack("T124", _expires("1e999"))
attack("T125", _expires("NaN"))
attack("T126", lambda forge: forge.with_claims(exp=-1))
attack("T127", lambda forge: forge.with_claims(exp=None))

attack("T130", lambda forge: forge.with_claims(nbf=forge.now_s + _HOUR_S))
attack("T131", lambda forge: forge.with_claims(nbf=str(forge.now_s - _HOUR_S)))
attack("T132", lambda forge: forge.with_claims(nbf=ABSENT))
attack("T133", lambda forge: forge.with_claims(iat=forge.now_s + _HOUR_S))
attack("T134", lambda forge: forge.with_claims(iat=str(forge.now_s - _HOUR_S)))
attack("T135", lambda forge: forge.with_claims(iat=ABSENT))

"""T45 to T59: the other members of the token's header, of which only ``kid`` may select anything."""

from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import attack
from selftest.entra.hostile_keys import attacker_key


def _with_empty_secret(forge: TokenForge) -> str:
    return forge.signed(header=forge.header(alg="HS256", kid="../../../../dev/null"), key=b"", alg="HS256")


def _with_own_key(forge: TokenForge) -> str:
    jwk = attacker_key().jwk()
    return forge.by_attacker(jwk=jwk, kid=jwk["kid"])


attack("T45", lambda forge: forge.with_header(kid=ABSENT))
attack("T46", lambda forge: forge.with_header(kid="not-published"))
attack("T47", lambda forge: forge.with_header(kid=[forge.env.entra.keys.current.kid]))
attack("T48", _with_empty_secret, needs=ANYWHERE)
attack("T49", lambda forge: forge.with_header(kid=ABSENT, x5t=forge.env.entra.keys.current.kid))
attack("T50", lambda forge: forge.with_header(b64=False))

attack("T51", _with_own_key, needs=ANYWHERE)
attack("T52", lambda forge: forge.by_attacker(jku=forge.attacker_url(), kid=attacker_key().kid), needs=ANYWHERE)
attack("T53", lambda forge: forge.by_attacker(x5u=forge.attacker_url(), kid=attacker_key().kid), needs=ANYWHERE)
attack("T54", lambda forge: forge.by_attacker(x5c=[attacker_key().certificate], kid=attacker_key().kid), needs=ANYWHERE)

attack("T55", lambda forge: forge.with_header(crit=["urn:example:limit"], **{"urn:example:limit": 1}))
attack("T56", lambda forge: forge.with_header(crit=[]))
attack("T57", lambda forge: forge.with_header(b64=False, crit=["b64"]))
attack("T58", lambda forge: forge.with_header(zip="DEF"))
attack("T59", lambda forge: forge.with_header(typ="dpop+jwt"))

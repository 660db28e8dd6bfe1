"""T30 to T43: the algorithm. The sender writes the header, so the header must not select how the token is verified."""

from collections.abc import Callable

from selftest.checks.bench.raw_bytes import unsigned
from selftest.checks.forged_tokens import ABSENT, TokenForge, TokenMaker, attacker_ec_key, attacker_ed25519_key
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import attack


def _signed_as(alg: str, key: Callable[[TokenForge], object] = lambda _: None) -> TokenMaker:
    """Return a function that signs valid claims with this algorithm and this key, by default the tenant's."""
    return lambda forge: forge.signed(header=forge.header(alg=alg), key=key(forge), alg=alg)


attack("T30", lambda forge: unsigned(forge.header(alg="none"), forge.claims()), needs=ANYWHERE)
attack("T31", lambda forge: unsigned(forge.header(alg="nOnE"), forge.claims()), needs=ANYWHERE)
attack("T32", lambda forge: forge.with_header(alg="none"))
attack("T33", lambda forge: forge.with_header(alg=ABSENT))
attack("T34", lambda forge: forge.with_header(alg=["RS256"]))
attack("T35", lambda forge: forge.with_header(alg="rs256"))
attack("T36", _signed_as("HS256", TokenForge.public_pem), needs=ANYWHERE)
attack("T37", _signed_as("HS256", TokenForge.public_modulus), needs=ANYWHERE)
attack("T38", _signed_as("HS256", TokenForge.public_jwk), needs=ANYWHERE)
attack("T39", _signed_as("RS384"))
attack("T40", _signed_as("RS512"))
attack("T41", _signed_as("PS256"))
attack("T42", _signed_as("ES256", lambda _: attacker_ec_key()), needs=ANYWHERE)
attack("T43", _signed_as("EdDSA", lambda _: attacker_ed25519_key()), needs=ANYWHERE)

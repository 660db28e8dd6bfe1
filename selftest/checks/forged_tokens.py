"""The attacker's workbench: tokens that differ from a good one in exactly one thing.

It starts from the claims and the header of a good token of the emulated tenant, so that what a check changes is
the only reason to refuse it. What the attacker cannot have, the tenant's private key, is used only where the check
says so: a strict endpoint refuses RS384 even from the right key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.raw_bytes import encode
from selftest.entra.hostile_keys import attacker_key
from selftest.entra.signing import sign_compact
from selftest.entra.token_mint import ABSENT, EntraVersion

__all__ = ["ABSENT", "TokenForge", "TokenMaker"]


@cache
def attacker_ec_key() -> ec.EllipticCurvePrivateKey:
    """Give the attacker's P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def attacker_ed25519_key() -> ed25519.Ed25519PrivateKey:
    """Give the attacker's Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


@dataclass(frozen=True, slots=True)
class TokenForge:
    """Makes tokens for one bench; ``now_s`` is Unix time in whole seconds."""

    env: CheckEnvironment

    @property
    def now_s(self) -> int:
        """Read the clock that the tokens are dated by."""
        return int(self.env.clock())

    def good(self, version: EntraVersion = "2.0") -> str:
        """Give a token that must be believed."""
        return self.env.good_token() if version == "2.0" else self.env.entra.mint.callout_token(version)

    def header(self, version: EntraVersion = "2.0", /, **changes: object) -> dict[str, Any]:
        """Give a good token's header with members replaced, added, or (`ABSENT`) removed."""
        return _changed(self.env.entra.mint.header(version), changes)

    def claims(self, version: EntraVersion = "2.0", **changes: object) -> dict[str, Any]:
        """Give a good token's claims with claims replaced, added, or (`ABSENT`) removed."""
        return _changed(self.env.entra.mint.claims(version), changes)

    def with_claims(self, version: EntraVersion = "2.0", **changes: object) -> str:
        """Sign changed claims with the tenant's key, as only Entra could."""
        return self.env.entra.mint.callout_token(version, **changes)

    def with_header(self, **changes: object) -> str:
        """Sign good claims under a changed header with the tenant's key."""
        return self.signed(header=self.header(**changes))

    def signed(
        self,
        *,
        header: dict[str, Any] | bytes | None = None,
        payload: dict[str, Any] | bytes | None = None,
        key: object = None,
        alg: str = "RS256",
    ) -> str:
        """Sign any header over any payload, by default the good ones with the tenant's key.

        The bytes signed are the bytes given; ``alg`` is how it is signed, whatever the header says.
        """
        return sign_compact(
            self.header() if header is None else header,
            self.claims() if payload is None else payload,
            self.env.entra.keys.current if key is None else key,  # type: ignore[arg-type] # any key that alg takes
            alg,
        )

    def by_attacker(self, **changes: object) -> str:
        """Sign good claims with the attacker's RSA key under a header changed so."""
        return self.signed(header=self.header(**changes), key=attacker_key())

    def public_pem(self) -> bytes:
        """Give the tenant's public key as the PEM text that key confusion takes for a secret."""
        public = self.env.entra.keys.current.private_key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def public_modulus(self) -> bytes:
        """Give the tenant's modulus as bytes."""
        modulus = self.env.entra.keys.current.private_key.public_key().public_numbers().n
        return modulus.to_bytes((modulus.bit_length() + 7) // 8)

    def public_jwk(self) -> bytes:
        """Give the tenant's key as the JSON text that the key set shows."""
        return encode(self.env.entra.keys.current.jwk())

    def attacker_url(self) -> str:
        """Name the key set that nobody may ever fetch."""
        return f"{self.env.entra.base_url}/attacker/keys"

    def attacker_hits(self) -> int:
        """Count who fetched it."""
        return self.env.entra.hits["attacker"]


type TokenMaker = Callable[[TokenForge], str]


def _changed(members: dict[str, Any], changes: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}

"""Tokens that differ from a valid one in exactly one respect.

They start from the claims and the header of a valid token of the emulated tenant, so that the change is the only reason
to refuse them. Some are signed with the tenant's private key, which an attacker does not have: a strict endpoint
refuses RS384 even with the right key.
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
    """Return the attacker's P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def attacker_ed25519_key() -> ed25519.Ed25519PrivateKey:
    """Return the attacker's Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


@dataclass(frozen=True, slots=True)
class TokenForge:
    """Makes tokens for one environment."""

    env: CheckEnvironment

    @property
    def now_s(self) -> int:
        """Return the current time, in Unix seconds, of the tokens' dates."""
        return int(self.env.clock())

    def good(self, version: EntraVersion | None = None) -> str:
        """Return a token that must be accepted, of the version that the endpoint takes unless one is given."""
        return self.env.good_token() if version is None else self.env.entra.mint.callout_token(version)

    def header(self, version: EntraVersion | None = None, /, **changes: object) -> dict[str, Any]:
        """Return a valid token's header with members replaced, added, or (`ABSENT`) removed."""
        return _changed(self.env.entra.mint.header(version or self.env.version), changes)

    def claims(self, version: EntraVersion | None = None, **changes: object) -> dict[str, Any]:
        """Return a valid token's claims with claims replaced, added, or (`ABSENT`) removed."""
        return _changed(self.env.entra.mint.claims(version or self.env.version), changes)

    def with_claims(self, version: EntraVersion | None = None, **changes: object) -> str:
        """Return changed claims signed with the tenant's key."""
        return self.env.entra.mint.callout_token(version or self.env.version, **changes)

    def with_header(self, **changes: object) -> str:
        """Return valid claims under a changed header, signed with the tenant's key."""
        return self.signed(header=self.header(**changes))

    def signed(
        self,
        *,
        header: dict[str, Any] | bytes | None = None,
        payload: dict[str, Any] | bytes | None = None,
        key: object = None,
        alg: str = "RS256",
    ) -> str:
        """Return a signed token of any header and payload, by default the valid ones with the tenant's key.

        Bytes are signed as they are; ``alg`` is the signing algorithm, regardless of the header.
        """
        return sign_compact(
            self.header() if header is None else header,
            self.claims() if payload is None else payload,
            self.env.entra.keys.current if key is None else key,  # type: ignore[arg-type] # any key that alg accepts
            alg,
        )

    def by_attacker(self, **changes: object) -> str:
        """Return valid claims under a changed header, signed with the attacker's RSA key."""
        return self.signed(header=self.header(**changes), key=attacker_key())

    def public_pem(self) -> bytes:
        """Return the tenant's public key as PEM text, which a confused verifier uses as a secret."""
        public = self.env.entra.keys.current.private_key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def public_modulus(self) -> bytes:
        """Return the tenant's modulus as bytes."""
        modulus = self.env.entra.keys.current.private_key.public_key().public_numbers().n
        return modulus.to_bytes((modulus.bit_length() + 7) // 8)

    def public_jwk(self) -> bytes:
        """Return the tenant's key as the JSON text of the key set."""
        return encode(self.env.entra.keys.current.jwk())

    def attacker_url(self) -> str:
        """Return the URL of the attacker's key set, which must never be fetched."""
        return f"{self.env.entra.base_url}/attacker/keys"

    def attacker_hits(self) -> int:
        """Return how often the attacker's key set was fetched."""
        return self.env.entra.hits["attacker"]


type TokenMaker = Callable[[TokenForge], str]


def _changed(members: dict[str, Any], changes: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}

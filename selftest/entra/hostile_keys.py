"""Entries of a key document that must not verify a callout, each with its private key.

An endpoint that takes the first entry with the right ``kid`` without further checks accepts what these keys sign.
Published next to the good key, they also show whether one bad entry breaks the whole set.

Source: RFC 7517 4.2 to 4.5 (use, key_ops, alg, kid), RFC 8725 3.1 and 3.2 (algorithm and key belong together),
entra-docs ``access-tokens.md`` (a key with an ``issuer`` is valid for that issuer only).
"""

import functools
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jwt.algorithms import ECAlgorithm

from selftest.base.base64url import encode_base64url
from selftest.entra.signing import KeySet, SigningKeyPair, generate_signing_key, rsa_members


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileKey:
    """One published entry that a strict endpoint does not use.

    Attributes:
        id: Its name in the harness.
        jwk: The entry, which need not be an object.
        kid: The key id in a token signed with it; text even where the entry's own id is not.
        private_key: The signing key; None where the entry is too malformed to be a key.
        alg: The algorithm that this key signs with.
        why: What is wrong with the entry.
    """

    id: str
    jwk: object
    kid: str
    private_key: PrivateKeyTypes | bytes | None = field(repr=False)
    alg: str
    why: str


@functools.cache
def attacker_key() -> SigningKeyPair:
    """Return this process's attacker key, which no tenant publishes."""
    return generate_signing_key()


@functools.cache
def _small_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the weakness is the point


@functools.cache
def _ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def _shared_secret() -> bytes:
    return secrets.token_bytes(32)


def hostile_keys(*, other_issuer: str) -> tuple[HostileKey, ...]:
    """Return every hostile entry; ``other_issuer`` is the issuer of a tenant that is not the endpoint's.

    Most RSA entries share the attacker's key and differ only in what the entry states about it.
    """
    attacker, small, point = attacker_key().private_key, _small_rsa_key(), _ec_key()
    good = {"kty": "RSA", "use": "sig", **rsa_members(attacker)}
    bare = {"kty": "RSA", "use": "sig", "e": good["e"]}
    ec_jwk: dict[str, Any] = {**ECAlgorithm.to_jwk(point.public_key(), as_dict=True), "use": "sig"}
    oct_jwk = {"kty": "oct", "use": "sig", "k": encode_base64url(_shared_secret())}
    return (
        _entry("use-enc", good | {"use": "enc"}, attacker, "the key is for encryption, not for signatures"),
        _entry("alg-rs512", good | {"alg": "RS512"}, attacker, "the key is bound to RS512", alg="RS512"),
        _entry("key-ops-encrypt", good | {"key_ops": ["encrypt"]}, attacker, "the key's operations lack verify"),
        _entry("other-issuer", good | {"issuer": other_issuer}, attacker, "the key is another tenant's"),
        _entry("ec-p256", ec_jwk, point, "not an RSA key", alg="ES256"),
        _entry("oct", oct_jwk, _shared_secret(), "a shared secret that everybody can read", alg="HS256"),
        _entry("rsa-1024", good | rsa_members(small), small, "1024 bits, fewer than 2048"),
        HostileKey(id="not-an-object", jwk="key", kid="key", private_key=None, alg="RS256", why="text, not an object"),
        _entry("no-modulus", bare, attacker, "no modulus"),
        _entry("bad-modulus", bare | {"n": "*"}, attacker, "the modulus is not base64url"),
        _entry("numeric-kid", good | {"kid": 12345}, attacker, "the kid is a number"),
    )


def publish_hostile_keys(keys: KeySet, *, other_issuer: str) -> tuple[HostileKey, ...]:
    """Insert every hostile entry before the tenant's keys: a parser that stops at one never sees the good key."""
    hostile = hostile_keys(other_issuer=other_issuer)
    keys.published[:0] = [entry.jwk for entry in hostile]
    return hostile


def _entry(
    name: str, jwk: dict[str, Any], private_key: PrivateKeyTypes | bytes, why: str, *, alg: str = "RS256"
) -> HostileKey:
    jwk = {"kid": f"hostile-{name}", **jwk}
    return HostileKey(id=name, jwk=jwk, kid=str(jwk["kid"]), private_key=private_key, alg=alg, why=why)

"""Entries of a key document that must not verify a callout, each with its private half.

An endpoint that takes the first entry with the right ``kid`` and asks nothing more accepts what these sign. Published
beside the good key they also show whether one bad entry spoils the whole set.

Source: RFC 7517 4.2 to 4.5 (use, key_ops, alg, kid), RFC 8725 3.1 and 3.2 (algorithm and key belong together),
entra-docs ``access-tokens.md`` (a key with an ``issuer`` is good for that issuer only).
"""

import functools
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from selftest.entra.signing import KeySet, SigningKey, base64url, generate_signing_key, rsa_members


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileKey:
    """One published entry that a strict endpoint leaves unused.

    Attributes:
        id: Its name in the harness.
        jwk: The entry, which need not be an object.
        kid: The key id that a token signed with it names; text even where the entry's own is not.
        private_key: What signs; None where the entry is too broken to stand for a key.
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
def attacker_key() -> SigningKey:
    """Give the key of an attacker, which no tenant publishes. One a process."""
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
    """Give every hostile entry; ``other_issuer`` is the issuer of a tenant that is not the endpoint's.

    The RSA entries share the attacker's key: what differs is what the entry says about it.
    """
    return (*_wrong_use(other_issuer), *_wrong_kind(), *_malformed())


def publish_hostile_keys(keys: KeySet, *, other_issuer: str) -> tuple[HostileKey, ...]:
    """Put every hostile entry in front of the tenant's keys: a parser that stops at one never sees the good key."""
    hostile = hostile_keys(other_issuer=other_issuer)
    keys.published[:0] = [entry.jwk for entry in hostile]
    return hostile


def _attackers_rsa(name: str, why: str, **members: object) -> HostileKey:
    key = attacker_key().private_key
    jwk = {"kty": "RSA", "use": "sig", "kid": f"hostile-{name}", **rsa_members(key), **members}
    alg = "RS512" if members.get("alg") == "RS512" else "RS256"
    return HostileKey(id=name, jwk=jwk, kid=f"hostile-{name}", private_key=key, alg=alg, why=why)


def _wrong_use(other_issuer: str) -> tuple[HostileKey, ...]:
    return (
        _attackers_rsa("use-enc", "the key encrypts, it does not sign", use="enc"),
        _attackers_rsa("alg-rs512", "the key is bound to RS512", alg="RS512"),
        _attackers_rsa("key-ops-encrypt", "the key's operations do not contain verify", key_ops=["encrypt"]),
        _attackers_rsa("other-issuer", "the key is another tenant's", issuer=other_issuer),
    )


def _wrong_kind() -> tuple[HostileKey, ...]:
    point = _ec_key().public_key().public_numbers()
    ec_jwk = {
        "kty": "EC",
        "use": "sig",
        "kid": "hostile-ec-p256",
        "crv": "P-256",
        "x": base64url(point.x.to_bytes(32)),
        "y": base64url(point.y.to_bytes(32)),
    }
    oct_jwk = {"kty": "oct", "use": "sig", "kid": "hostile-oct", "k": base64url(_shared_secret())}
    small = _small_rsa_key()
    small_jwk = {"kty": "RSA", "use": "sig", "kid": "hostile-rsa-1024", **rsa_members(small)}
    return (
        HostileKey(
            id="ec-p256", jwk=ec_jwk, kid="hostile-ec-p256", private_key=_ec_key(), alg="ES256", why="not an RSA key"
        ),
        HostileKey(
            id="oct",
            jwk=oct_jwk,
            kid="hostile-oct",
            private_key=_shared_secret(),
            alg="HS256",
            why="a shared secret that everybody can read",
        ),
        HostileKey(
            id="rsa-1024",
            jwk=small_jwk,
            kid="hostile-rsa-1024",
            private_key=small,
            alg="RS256",
            why="1024 bits, fewer than 2048",
        ),
    )


def _malformed() -> tuple[HostileKey, ...]:
    key = attacker_key().private_key
    members = rsa_members(key)
    kid = "hostile-no-modulus"
    no_modulus = {"kty": "RSA", "use": "sig", "kid": kid, "e": members["e"]}
    bad_modulus = {"kty": "RSA", "use": "sig", "kid": "hostile-bad-modulus", "n": "*", "e": members["e"]}
    numeric_kid = {"kty": "RSA", "use": "sig", "kid": 12345, **members}
    return (
        HostileKey(id="not-an-object", jwk="key", kid="key", private_key=None, alg="RS256", why="text, not an object"),
        HostileKey(id="no-modulus", jwk=no_modulus, kid=kid, private_key=key, alg="RS256", why="no modulus"),
        HostileKey(
            id="bad-modulus",
            jwk=bad_modulus,
            kid="hostile-bad-modulus",
            private_key=key,
            alg="RS256",
            why="the modulus is not base64url",
        ),
        HostileKey(
            id="numeric-kid", jwk=numeric_kid, kid="12345", private_key=key, alg="RS256", why="the kid is a number"
        ),
    )

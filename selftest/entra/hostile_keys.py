"""Entries of a key document that must not verify a callout, each with a private key that signs nothing else.

An endpoint that takes the entry with the right ``kid`` without further checks accepts what these keys sign. Some
libraries (IdentityModel, by default) try every published key on a token whose key id they do not know, so a key that
served two purposes would accuse an endpoint of the wrong one.

The well-formed entries break no library that reads them one by one or as a whole, and are published in every run of
the checks. A malformed one makes some libraries give up the whole document, so these are published last and alone.

Source: RFC 7517 4.2 to 4.5 (use, key_ops, alg, kid), RFC 8725 3.1 and 3.2 (algorithm and key belong together),
entra-docs ``access-tokens.md`` (a key with an ``issuer`` is valid for that issuer only).
"""

import base64
import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jwt.algorithms import ECAlgorithm

from selftest.base.base64url import encode_base64url
from selftest.entra import key_store
from selftest.entra.key_store import KeyStore
from selftest.entra.signing import KeySet, SigningKeyPair, generate_signing_key, rsa_members, self_signed


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


def well_formed_keys(store: KeyStore, *, other_issuer: str) -> tuple[HostileKey, ...]:
    """Return the entries that every library can read; ``other_issuer`` is the issuer of another tenant.

    The entries for signatures carry a certificate, as Entra's do: some endpoints read the key from there.
    """
    point = store.ec(key_store.ODD_EC)
    certificate = base64.b64encode(self_signed(point)).decode("ascii")
    # Without "use": fastapi-azure-auth gives up the document for an entry with "sig" that is no RSA key.
    ec_jwk = {"x5c": [certificate], **ECAlgorithm.to_jwk(point.public_key(), as_dict=True)}
    shared = store.secret(key_store.ODD_SECRET)
    oct_jwk = {"kty": "oct", "k": encode_base64url(shared)}
    return (
        _rsa_entry(store, "use-enc", "the key is for encryption, not for signatures", use="enc"),
        _rsa_entry(store, "alg-rs512", "the key is bound to RS512", alg="RS512"),
        _rsa_entry(store, "other-issuer", "the key is another tenant's", issuer=other_issuer),
        _rsa_entry(store, key_store.ODD_SMALL_RSA, "1024 bits, fewer than 2048"),
        _entry("ec-p256", ec_jwk, point, "not an RSA key", alg="ES256"),
        _entry("oct", oct_jwk, shared, "a shared secret that everybody can read", alg="HS256"),
    )


def malformed_keys(store: KeyStore) -> tuple[HostileKey, ...]:
    """Return the entries that make some library give up the whole document."""
    unreadable: dict[str, object] = {"x5c": None}
    return (
        HostileKey(id="not-an-object", jwk="key", kid="key", private_key=None, alg="RS256", why="text, not an object"),
        _rsa_entry(store, "no-modulus", "no modulus", n=None, **unreadable),
        _rsa_entry(store, "bad-modulus", "the modulus is not base64url", n="*", **unreadable),
        _rsa_entry(store, "numeric-kid", "the kid is a number", kid=12345),
        _rsa_entry(store, "key-ops-encrypt", "the key's operations lack verify", key_ops=["encrypt"]),
        _rsa_entry(store, "same-id-1", "another key has the same id", kid="hostile-same-id"),
        _rsa_entry(store, "same-id-2", "another key has the same id", kid="hostile-same-id"),
    )


def publish_first(keys: KeySet, entries: Iterable[HostileKey]) -> None:
    """Insert entries before the tenant's keys: a parser that stops at one never sees the good key."""
    keys.published[:0] = [entry.jwk for entry in entries]


def _rsa_entry(store: KeyStore, name: str, why: str, **members: object) -> HostileKey:
    """Return an entry of its own RSA key with members replaced; one that is None is left out."""
    pair = store.rsa(name)
    jwk: dict[str, Any] = {
        "kty": "RSA",
        "use": "sig",
        "x5c": [pair.certificate],
        **rsa_members(pair.private_key),
        **members,
    }
    alg = str(members.get("alg", "RS256"))
    return _entry(name, {key: value for key, value in jwk.items() if value is not None}, pair.private_key, why, alg=alg)


def _entry(name: str, jwk: dict[str, Any], private_key: PrivateKeyTypes | bytes, why: str, *, alg: str) -> HostileKey:
    jwk = {"kid": f"hostile-{name}", **jwk}
    return HostileKey(id=name, jwk=jwk, kid=str(jwk["kid"]), private_key=private_key, alg=alg, why=why)

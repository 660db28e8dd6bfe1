"""Keys and signatures: the tenant's signing keys, the published key document, and compact tokens of any content.

``sign_compact`` signs any input, because attackers do not follow the rules either. This module verifies nothing.

Source: RFC 7515 (compact serialization), RFC 7517 and RFC 7518 6.3 (RSA keys as JSON).
"""

import base64
import datetime as dt
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

from selftest.base.base64url import encode_base64url

#: The certificate's validity only has to be well-formed: an endpoint trusts the key because it is published.
_VALID_FROM = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_VALID_UNTIL = dt.datetime(2044, 1, 1, tzinfo=dt.UTC)


def rsa_members(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Return the JWK members ``n`` and ``e`` of the public key."""
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"n": jwk["n"], "e": jwk["e"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyPair:
    """One signing key of a tenant.

    Attributes:
        kid: The key id. As at Entra it is the SHA-1 thumbprint of the key's certificate.
        private_key: The private key.
        certificate: The self-signed certificate, DER in base64, which Entra publishes with the key.
    """

    kid: str
    private_key: rsa.RSAPrivateKey = field(repr=False)
    certificate: str = field(repr=False)

    @classmethod
    def of(cls, private_key: rsa.RSAPrivateKey) -> Self:
        """Return a key with its certificate, and with the key id that follows from it."""
        certificate = self_signed(private_key)
        return cls(
            kid=encode_base64url(hashlib.sha1(certificate, usedforsecurity=False).digest()),
            private_key=private_key,
            certificate=base64.b64encode(certificate).decode("ascii"),
        )

    def jwk(self) -> dict[str, object]:
        """Return the public key as the tenant publishes it, without the ``issuer`` that the document adds."""
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            **rsa_members(self.private_key),
            "x5c": [self.certificate],
        }


def generate_signing_key() -> SigningKeyPair:
    """Generate an RSA key of 2048 bits with its certificate. Takes 30 to 150 ms."""
    return SigningKeyPair.of(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def self_signed(private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """Return the certificate of a key, DER; the same one each time for an RSA key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "emulated-entra.invalid")])
    public = private_key.public_key()
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(int.from_bytes(hashlib.sha256(spki).digest()[:16]))
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .sign(private_key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def sign_compact(
    header: Mapping[str, object] | bytes,
    payload: Mapping[str, object] | bytes,
    key: SigningKeyPair | PrivateKeyTypes | bytes,
    alg: str = "RS256",
) -> str:
    """Build a compact token from exactly this header and this payload.

    No rule on key size or key type is applied.

    Args:
        header: A mapping is serialized as JSON in its own order; bytes are used unchanged, valid or not.
        payload: The same.
        key: The signing key.
        alg: The signature algorithm. It is not written into the header, so the two may disagree. For ``none`` the
            signature is empty.

    Raises:
        ValueError: PyJWT has no such algorithm; the message names it.
    """
    try:
        algorithm = jwt.get_algorithm_by_name(alg)
    except NotImplementedError as error:  # what PyJWT raises for an unknown name
        raise ValueError(f"expected a JWS algorithm that PyJWT has, got {alg!r}") from error
    signing_input = f"{encode_base64url(_octets(header))}.{encode_base64url(_octets(payload))}"
    material = key.private_key if isinstance(key, SigningKeyPair) else key
    return f"{signing_input}.{encode_base64url(algorithm.sign(signing_input.encode('ascii'), material))}"


def _octets(part: Mapping[str, object] | bytes) -> bytes:
    if isinstance(part, bytes):
        return part
    return json.dumps(dict(part), separators=(",", ":"), ensure_ascii=False).encode()


@functools.cache
def _pooled_key(index: int) -> SigningKeyPair:
    """Return the n-th key of this process, generated once: a test run starts many emulated tenants."""
    del index
    return generate_signing_key()


class KeySet:
    """The keys of one tenant: the current one signs, every published one verifies.

    Two key sets in one process use the same keys in the same order, because generating a key is slow. Use
    ``generate_signing_key`` for a key that no other tenant has, such as an attacker's.

    Args:
        first: The key that signs first; None for this process's own.

    Attributes:
        current: The key that signs.
        published: The entries of the key document in their order. Checks insert hostile entries.
    """

    def __init__(self, first: SigningKeyPair | None = None) -> None:
        self.current = first or _pooled_key(0)
        self.published: list[object] = [self.current.jwk()]
        self._own = {self.current.kid: self.current}
        self._drawn = 1

    def prepare_rotation(self) -> None:
        """Generate the next key now, in any thread, so that ``rotate`` takes no time."""
        _pooled_key(self._drawn)

    def rotate(self) -> SigningKeyPair:
        """Switch to a new signing key; the old one stays published, as after a rollover at Entra."""
        self.current = _pooled_key(self._drawn)
        self._drawn += 1
        self._own[self.current.kid] = self.current
        self.published.append(self.current.jwk())
        return self.current

    def verifying(self, kid: str) -> rsa.RSAPublicKey:
        """Return the public key for a current or former signing key of this tenant.

        Raises:
            KeyError: The tenant never signed with this key.
        """
        return self._own[kid].private_key.public_key()

    def retire(self, kid: str) -> None:
        """Remove the entry with this key id from the document.

        Raises:
            KeyError: No published entry has this id.
        """
        remaining = [jwk for jwk in self.published if not (isinstance(jwk, dict) and jwk.get("kid") == kid)]
        if len(remaining) == len(self.published):
            raise KeyError(kid)
        self.published[:] = remaining

    def jwks(self, *, issuer: str | None = None) -> dict[str, object]:
        """Return the key document; ``issuer`` is added to the tenant's own keys, as in the v2.0 document."""
        if issuer is None:
            return {"keys": list(self.published)}
        return {
            "keys": [
                {**jwk, "issuer": issuer}
                if isinstance(jwk, dict) and "issuer" not in jwk and jwk.get("kid") in self._own
                else jwk
                for jwk in self.published
            ]
        }

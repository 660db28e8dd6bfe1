"""Keys and signatures: what a tenant signs with, what it publishes, and compact tokens of any content.

``sign_compact`` signs whatever it is given, because an attacker does not keep to the rules either. Nothing here judges
a token.

Source: RFC 7515 (compact serialisation), RFC 7517 and RFC 7518 6.3 (RSA keys as JSON).
"""

import base64
import datetime as dt
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID

#: The certificate's validity only has to be well-formed: an endpoint trusts the key because it is published.
_VALID_FROM = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_VALID_UNTIL = dt.datetime(2044, 1, 1, tzinfo=dt.UTC)


def base64url(data: bytes) -> str:
    """Encode without padding, as RFC 7515 does everywhere."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def rsa_members(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Give the members ``n`` and ``e`` of the public half."""
    numbers = key.public_key().public_numbers()
    return {
        "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
        "e": base64url(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One signing key of a tenant.

    Attributes:
        kid: The key id; as at Entra it is the SHA-1 thumbprint of the key's certificate.
        private_key: The private half.
        certificate: The self-signed certificate, DER in base64, which Entra publishes beside the key.
    """

    kid: str
    private_key: rsa.RSAPrivateKey = field(repr=False)
    certificate: str = field(repr=False)

    def jwk(self) -> dict[str, object]:
        """Give the public half as the tenant publishes it, without the ``issuer`` that the document adds."""
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            **rsa_members(self.private_key),
            "x5c": [self.certificate],
        }


def generate_signing_key() -> SigningKey:
    """Make an RSA key of 2048 bits with its certificate. Takes 30 to 150 ms."""
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "emulated-entra.invalid")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .sign(private_key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    return SigningKey(
        kid=base64url(hashlib.sha1(certificate, usedforsecurity=False).digest()),
        private_key=private_key,
        certificate=base64.b64encode(certificate).decode("ascii"),
    )


def sign_compact(
    header: Mapping[str, object] | bytes,
    payload: Mapping[str, object] | bytes,
    key: SigningKey | PrivateKeyTypes | bytes,
    alg: str = "RS256",
) -> str:
    """Build a compact token from exactly this header and this payload.

    A mapping is written as JSON in its own order; bytes are used as they are, valid or not. ``alg`` chooses the
    signature's algorithm and is not written into the header, so the two may disagree. No rule on key size or kind
    is applied. For ``none`` the signature is empty.

    Raises:
        ValueError: When ``alg`` names no algorithm; the message holds what was given.
    """
    try:
        algorithm = jwt.get_algorithm_by_name(alg)
    except NotImplementedError as error:  # what PyJWT raises for a name that it does not know
        raise ValueError(f"expected a JWS algorithm that PyJWT has, got {alg!r}") from error
    signing_input = f"{base64url(_octets(header))}.{base64url(_octets(payload))}".encode("ascii")
    material = key.private_key if isinstance(key, SigningKey) else key
    return f"{signing_input.decode('ascii')}.{base64url(algorithm.sign(signing_input, material))}"


def _octets(part: Mapping[str, object] | bytes) -> bytes:
    if isinstance(part, bytes):
        return part
    return json.dumps(dict(part), separators=(",", ":"), ensure_ascii=False).encode()


@functools.cache
def _pooled_key(index: int) -> SigningKey:
    """Make the process's n-th key once: many emulated tenants come and go in one test run."""
    del index
    return generate_signing_key()


class KeySet:
    """The keys of one tenant: the current one signs, every published one verifies.

    Two key sets of one process draw the same keys in the same order, because making a key is slow. Whoever needs a key
    that no other tenant has (a forger's, say) calls ``generate_signing_key``.

    Attributes:
        current: The key that signs.
        published: The entries of the key document in their order. Checks put hostile entries in.
    """

    def __init__(self) -> None:
        self.current = _pooled_key(0)
        self.published: list[object] = [self.current.jwk()]
        self._own = {self.current.kid: self.current}
        self._drawn = 1

    def prepare_rotation(self) -> None:
        """Make the next key now, in any thread, so that ``rotate`` takes no time."""
        _pooled_key(self._drawn)

    def rotate(self) -> SigningKey:
        """Sign with a new key from now on; the old one stays published, as after a roll at Entra."""
        self.current = _pooled_key(self._drawn)
        self._drawn += 1
        self._own[self.current.kid] = self.current
        self.published.append(self.current.jwk())
        return self.current

    def verifying(self, kid: str) -> rsa.RSAPublicKey:
        """Give the public half of a key that this tenant signs or signed with.

        Raises:
            KeyError: It never did.
        """
        return self._own[kid].private_key.public_key()

    def retire(self, kid: str) -> None:
        """Take the entry with this key id out of the document.

        Raises:
            KeyError: When no published entry has it.
        """
        remaining = [jwk for jwk in self.published if not (isinstance(jwk, dict) and jwk.get("kid") == kid)]
        if len(remaining) == len(self.published):
            raise KeyError(kid)
        self.published[:] = remaining

    def jwks(self, *, issuer: str | None = None) -> dict[str, object]:
        """Give the key document; ``issuer`` is added to the tenant's own keys, as the v2.0 document does."""
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

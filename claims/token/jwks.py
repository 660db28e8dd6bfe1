"""A JWK set, reduced to the keys that may sign an RS256 token.

Everything else that a set may hold (encryption keys, symmetric keys, other curves and algorithms, short keys, entries
that are not keys at all) is left out without spoiling the rest.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from claims.wire import strict_json

#: RFC 7518 section 3.3: a key of 2048 bits or larger must be used with RS256.
MIN_KEY_BITS: Final = 2048
#: Beyond these limits a verification takes milliseconds instead of microseconds; Entra's keys have 2048 and 17 bits.
MAX_KEY_BITS: Final = 8192
MAX_EXPONENT_BITS: Final = 32
#: entra-docs ``signing-key-rollover.md``: a cache must be able to hold 10 to 1000 keys.
MAX_KEYS: Final = 1000


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key that may sign tokens.

    Attributes:
        kid: Its name in the token's header.
        issuers: The only issuers that it may sign for, with ``{tenantid}`` as a placeholder; None among them allows
            any. Source: entra-docs ``claims-validation.md`` ("Validate the signing key issuer").
        public_key: Verifies its signatures.
    """

    kid: str
    issuers: frozenset[str | None]
    public_key: RSAPublicKey

    def signs_for(self, issuer: str, tenant_id: str) -> bool:
        """Whether this key may sign a token of this issuer."""
        return any(allowed is None or allowed.replace("{tenantid}", tenant_id) == issuer for allowed in self.issuers)


@dataclass(frozen=True, slots=True)
class UsableKeys:
    """The usable keys of a JWK set.

    Attributes:
        keys: By ``kid``.
        left_out: What an owner should know of the rest; empty where there is nothing.
    """

    keys: Mapping[str, SigningKey]
    left_out: str = ""


def parse_key_set(body: bytes) -> UsableKeys:
    """Return the usable keys of a JWK set.

    A ``kid`` that two different keys claim names neither of them. A key that is listed twice may sign for the issuers
    of both entries.

    Raises:
        StrictJsonError: The document is not JSON or holds no list ``keys``.

    Source: RFC 7517 sections 4 and 5, RFC 8725 section 3.1.
    """
    entries = strict_json.parse_object(body).get("keys")
    if not isinstance(entries, list):
        raise strict_json.StrictJsonError("no list of keys")
    keys: dict[str, SigningKey] = {}
    ambiguous: set[str] = set()
    for entry in entries[:MAX_KEYS]:
        key = _signing_key(entry)
        if key is None:
            continue
        known = keys.setdefault(key.kid, key)
        if known.public_key.public_numbers() != key.public_key.public_numbers():
            ambiguous.add(key.kid)
        keys[key.kid] = replace(known, issuers=known.issuers | key.issuers)
    left_out = ""
    if ambiguous or len(entries) > MAX_KEYS:
        left_out = f"key set: {len(entries)} entries, {len(ambiguous)} ambiguous key ids left out"
    return UsableKeys({kid: key for kid, key in keys.items() if kid not in ambiguous}, left_out)


def _signing_key(entry: Any) -> SigningKey | None:
    """Return the key, or None when it may not sign: one malformed entry never spoils the set."""
    if not isinstance(entry, dict) or not _may_sign(entry):
        return None
    kid, issuer = entry.get("kid"), entry.get("issuer")
    if not isinstance(kid, str) or not kid or not (issuer is None or isinstance(issuer, str)):
        return None
    try:
        numbers = RSAPublicNumbers(e=_integer(entry["e"]), n=_integer(entry["n"]))
        if not MIN_KEY_BITS <= numbers.n.bit_length() <= MAX_KEY_BITS or numbers.e.bit_length() > MAX_EXPONENT_BITS:
            return None
        return SigningKey(kid=kid, issuers=frozenset({issuer}), public_key=numbers.public_key())
    except (KeyError, TypeError, ValueError):
        return None


def _may_sign(entry: dict[str, Any]) -> bool:
    """Whether the entry's members allow it to sign with RS256; an absent member allows it.

    Members are compared and never hashed: they can be of any JSON type.
    """
    operations = entry.get("key_ops")
    return (
        entry.get("kty") == "RSA"
        and entry.get("use") in (None, "sig")
        and entry.get("alg") in (None, "RS256")
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
    )


def _integer(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)))

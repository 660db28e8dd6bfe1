"""Hostile entries of a key document."""

from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from selftest.base.base64url import decode_base64url
from selftest.entra.hostile_keys import HostileKey, attacker_key, malformed_keys, publish_first, well_formed_keys
from selftest.entra.key_store import ODD_RSA, ODD_SMALL_RSA, process_keys
from selftest.entra.signing import KeySet, sign_compact

OTHER_ISSUER = "https://login.example/aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/v2.0"
#: Entries with valid numbers, whose fault is in another member.
WELL_FORMED = [name for name in (*ODD_RSA, ODD_SMALL_RSA) if name not in {"no-modulus", "bad-modulus"}]


@cache
def entries() -> dict[str, HostileKey]:
    """Return the entries by name: not at import, as each process of a test run imports this file."""
    keys = process_keys()
    return {key.id: key for key in (*well_formed_keys(keys, other_issuer=OTHER_ISSUER), *malformed_keys(keys))}


def test_ids_are_unique() -> None:
    """Every entry has a unique name, and a unique key id but for the two whose fault it is."""
    keys = process_keys()
    every = (*well_formed_keys(keys, other_issuer=OTHER_ISSUER), *malformed_keys(keys))
    assert len({entry.id for entry in every}) == len({entry.kid for entry in every}) + 1 == len(every)


def test_every_entry_has_its_own_key() -> None:
    """No key signs for two entries, for the tenant or for the attacker: a library may try every key on any token."""
    numbers = [
        key.public_key().public_numbers()
        for entry in entries().values()
        if isinstance(key := entry.private_key, RSAPrivateKey | EllipticCurvePrivateKey)
    ]
    others = [KeySet().current, attacker_key(), process_keys().rsa("spare"), process_keys().rsa("next")]
    numbers += [pair.private_key.public_key().public_numbers() for pair in others]
    assert len(numbers) == len(set(numbers)) == 15


@pytest.mark.parametrize("name", WELL_FORMED)
def test_rsa_entry_verifies_what_its_key_signs(name: str) -> None:
    """An endpoint that looks at n and e alone would accept the token: the attack is real."""
    entry = entries()[name]
    assert isinstance(entry.jwk, dict)
    assert entry.private_key is not None
    token = sign_compact({"alg": entry.alg, "kid": entry.kid}, {"sub": "x"}, entry.private_key, entry.alg)
    signing_input, _, signature = token.rpartition(".")
    bare: dict[str, Any] = {"kty": "RSA", "n": entry.jwk["n"], "e": entry.jwk["e"]}
    key = jwt.PyJWK(bare, entry.alg).key
    assert jwt.get_algorithm_by_name(entry.alg).verify(signing_input.encode(), key, decode_base64url(signature))


@pytest.mark.parametrize("name", ["ec-p256", "oct"])
def test_other_kinds_verify_under_their_own_algorithm(name: str) -> None:
    """The EC and the symmetric entry are real keys as well."""
    entry = entries()[name]
    assert isinstance(entry.jwk, dict)
    assert entry.private_key is not None
    token = sign_compact({"alg": entry.alg}, {"sub": "x"}, entry.private_key, entry.alg)
    key = jwt.PyJWK(entry.jwk, entry.alg)
    assert jwt.decode(token, key, algorithms=[entry.alg]) == {"sub": "x"}


@pytest.mark.parametrize(
    ("name", "member", "value"),
    [
        ("use-enc", "use", "enc"),
        ("alg-rs512", "alg", "RS512"),
        ("key-ops-encrypt", "key_ops", ["encrypt"]),
        ("other-issuer", "issuer", OTHER_ISSUER),
        ("numeric-kid", "kid", 12345),
        ("bad-modulus", "n", "*"),
    ],
)
def test_fault_is_the_one_that_the_entry_is_named_for(name: str, member: str, value: object) -> None:
    """Each entry carries its fault."""
    entry = entries()[name]
    assert isinstance(entry.jwk, dict)
    assert entry.jwk[member] == value


def test_small_key_is_small() -> None:
    """The RSA-1024 entry has a modulus of 128 bytes."""
    entry = entries()["rsa-1024"]
    assert isinstance(entry.jwk, dict)
    assert len(decode_base64url(entry.jwk["n"])) == 128


def test_hostile_entries_stand_in_front() -> None:
    """All are published before the tenant's own key, unchanged by the document's issuer."""
    keys = KeySet()
    publish_first(keys, entries().values())
    document: Any = keys.jwks(issuer="https://issuer.example")["keys"]
    assert document[:-1] == [entry.jwk for entry in entries().values()]
    assert document[-1]["kid"] == keys.current.kid


def test_attacker_is_not_the_tenant() -> None:
    """No tenant signs with the attacker's key, not even after many rotations."""
    keys = KeySet()
    kids = {keys.current.kid, keys.rotate().kid}
    assert attacker_key().kid not in kids

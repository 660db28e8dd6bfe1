"""Keys, key documents and compact tokens."""

import base64
import hashlib
import json
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from selftest.base.base64url import decode_base64url, encode_base64url
from selftest.entra.signing import KeySet, generate_signing_key, sign_compact


def test_signature_verifies_with_the_published_half() -> None:
    """A signed token verifies with nothing but the JWK."""
    key = KeySet().current
    token = sign_compact({"alg": "RS256", "kid": key.kid}, {"sub": "someone"}, key)
    assert jwt.decode(token, jwt.PyJWK(key.jwk(), "RS256"), algorithms=["RS256"]) == {"sub": "someone"}


def test_kid_is_the_certificates_thumbprint() -> None:
    """As at Entra, kid and x5t are the SHA-1 thumbprint of the certificate in x5c, whose key is the JWK's."""
    key = KeySet().current
    jwk = key.jwk()
    der = base64.b64decode(key.certificate)
    assert jwk["kid"] == jwk["x5t"] == encode_base64url(hashlib.sha1(der, usedforsecurity=False).digest())
    assert jwk["x5c"] == [key.certificate]
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    certified = x509.load_der_x509_certificate(der).public_key()
    assert certified.public_bytes(*spki) == key.private_key.public_key().public_bytes(*spki)


def test_bytes_are_signed_as_they_are() -> None:
    """Header and payload given as bytes are neither parsed nor rewritten."""
    header, payload = b'{"alg":"RS256","alg":"none"}', b"\xff not JSON"
    parts = sign_compact(header, payload, KeySet().current).split(".")
    assert [decode_base64url(parts[0]), decode_base64url(parts[1])] == [header, payload]


def test_mapping_keeps_its_order() -> None:
    """A mapping is written compactly, in its own order, in UTF-8."""
    header = sign_compact({"typ": "JWT", "alg": "RS256", "x": "é"}, {}, KeySet().current).split(".")[0]
    assert decode_base64url(header) == '{"typ":"JWT","alg":"RS256","x":"é"}'.encode()


def test_header_and_algorithm_may_disagree() -> None:
    """The header does not choose the signature algorithm: an attacker's header lies."""
    key = KeySet().current
    token = sign_compact({"alg": "HS256"}, {}, key, "RS512")
    signing_input, _, signature = token.rpartition(".")
    algorithm = jwt.get_algorithm_by_name("RS512")
    assert algorithm.verify(signing_input.encode(), key.private_key.public_key(), decode_base64url(signature))


def test_none_has_an_empty_signature() -> None:
    """An unsigned token ends in a dot."""
    assert sign_compact({"alg": "none"}, {}, b"", "none").endswith(".")


def test_public_key_as_shared_secret() -> None:
    """A public key in PEM may be the secret of an HS256 signature, as in CVE-2016-10555."""
    public = KeySet().current.private_key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    token = sign_compact({"alg": "HS256"}, {}, pem, "HS256")
    signing_input, _, signature = token.rpartition(".")
    assert jwt.get_algorithm_by_name("HS256").verify(signing_input.encode(), pem, decode_base64url(signature))


def test_unknown_algorithm_is_refused() -> None:
    """An algorithm that does not exist is an error of the caller."""
    with pytest.raises(ValueError, match="RS257"):
        sign_compact({}, {}, KeySet().current, "RS257")


def test_rotation_keeps_the_old_key_published() -> None:
    """After a rotation the new key signs and both verify."""
    keys = KeySet()
    old = keys.current
    new = keys.rotate()
    assert keys.current is new
    assert new.kid != old.kid
    assert [jwk["kid"] for jwk in keys.published if isinstance(jwk, dict)] == [old.kid, new.kid]


def test_retired_key_is_gone() -> None:
    """A retired key is no longer published; retiring what is not there is an error."""
    keys = KeySet()
    old = keys.current
    keys.rotate()
    keys.retire(old.kid)
    assert old.kid not in json.dumps(keys.jwks())
    with pytest.raises(KeyError, match=old.kid):
        keys.retire(old.kid)


def test_key_sets_share_no_list() -> None:
    """What is published in one key set is not published in another."""
    one, two = KeySet(), KeySet()
    one.published.append("hostile")
    one.rotate()
    assert len(two.published) == 1


def test_issuer_is_added_to_own_keys_only() -> None:
    """The document's issuer goes into the tenant's keys; hostile entries stay as they were put in."""
    keys = KeySet()
    foreign = {"kid": "foreign"}
    keys.published += [foreign, "text", {"kid": keys.current.kid, "issuer": "other"}]
    document: Any = keys.jwks(issuer="https://issuer.example")
    own, *rest = document["keys"]
    assert own["issuer"] == "https://issuer.example"
    assert rest == [foreign, "text", {"kid": keys.current.kid, "issuer": "other"}]
    assert all("issuer" not in entry for entry in (keys.current.jwk(), foreign))


def test_generated_keys_differ() -> None:
    """A generated key is nobody else's."""
    assert generate_signing_key().kid != KeySet().current.kid

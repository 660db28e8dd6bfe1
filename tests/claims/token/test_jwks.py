"""JWK sets: the usable keys, and no others."""

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from claims.token.jwks import MAX_KEYS, SigningKey, UsableKeys, parse_key_set
from claims.wire.fetch import MAX_DOCUMENT_BYTES
from claims.wire.strict_json import StrictJsonError
from selftest.base.base64url import encode_base64url
from tests.claims.token.hostile_documents import BAD_JWKS, BAD_SETS, GOOD_JWK, OTHER_JWK, usable_kids

_SPOILT = [jwk for jwk in BAD_JWKS if not (isinstance(jwk, dict) and jwk.get("key_ops") == ["verify"])]


@pytest.mark.parametrize("bad", _SPOILT, ids=map(str, range(len(_SPOILT))))  # the keys themselves are random
def test_bad_key_spoils_nothing(bad: object) -> None:
    """An entry that may not sign is left out, and the good key beside it stays."""
    assert usable_kids([bad, GOOD_JWK]) == [GOOD_JWK["kid"]]
    assert usable_kids([GOOD_JWK, bad]) == [GOOD_JWK["kid"]]


@pytest.mark.parametrize(
    "members",
    [{}, {"alg": "RS256"}, {"key_ops": ["verify"]}, {"key_ops": [["a"], "verify"]}, {"use": None}, {"issuer": "x"}],
    ids=str,
)
def test_usable_key(members: dict[str, object]) -> None:
    """A key without a restriction, or with one that allows RS256 signatures, may sign."""
    assert usable_kids([{**OTHER_JWK, **members}]) == [OTHER_JWK["kid"]]


def test_ambiguous_key_id() -> None:
    """A key id that two keys claim names neither, and the set says so, for the line of a request."""
    key_set = parse_key_set(json.dumps({"keys": [GOOD_JWK, {**OTHER_JWK, "kid": GOOD_JWK["kid"]}]}).encode())
    assert key_set == UsableKeys({}, "key set: 2 entries, 1 ambiguous key ids left out")


def test_same_key_twice() -> None:
    """A repeated entry is no contradiction."""
    assert usable_kids([GOOD_JWK, GOOD_JWK]) == [GOOD_JWK["kid"]]


@pytest.mark.parametrize("order", [1, -1])
def test_one_key_for_two_issuers(order: int) -> None:
    """A key that is listed for two issuers signs for both; listed once without an issuer, for any."""
    entries = [{**GOOD_JWK, "issuer": "https://a/{tenantid}"}, {**GOOD_JWK, "issuer": "https://b/"}]
    (key,) = _parsed(entries[::order])
    signs = [key.signs_for(issuer, "t") for issuer in ("https://a/t", "https://b/", "https://c/")]
    assert signs == [True, True, False]
    (key,) = _parsed([*entries, GOOD_JWK][::order])
    assert key.signs_for("https://c/", "t")


def _parsed(entries: list[dict[str, Any]]) -> list[SigningKey]:
    return list(parse_key_set(json.dumps({"keys": entries}).encode()).keys.values())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=5,
)
_MEMBERS = ["kty", "use", "alg", "key_ops", "kid", "issuer", "n", "e", "x5t", "x5c"]
#: What a number could be: any octets, among them even moduli, and exponents of every length.
_OCTETS = st.builds(encode_base64url, st.binary(max_size=8) | st.binary(min_size=255, max_size=257))


@given(
    odd=_JSON
    | st.dictionaries(st.sampled_from(_MEMBERS), _JSON)
    | st.builds(
        lambda changes: {**OTHER_JWK, **changes},
        st.dictionaries(st.sampled_from(_MEMBERS), _JSON)
        | st.dictionaries(st.sampled_from(["n", "e"]), _OCTETS, min_size=1),
    )
    | st.builds(lambda changes: {**GOOD_JWK, **changes}, st.dictionaries(st.sampled_from(_MEMBERS), _JSON, max_size=1)),
    first=st.booleans(),
)
@hypothesis_settings(deadline=None, max_examples=300)
@example(odd={**OTHER_JWK, "use": ["sig"]}, first=True)
@example(odd={**OTHER_JWK, "alg": {}}, first=True)
@example(odd={**OTHER_JWK, "n": encode_base64url(b"\xff" * 255 + b"\xfe")}, first=True)
def test_nothing_spoils_the_good_key(odd: object, *, first: bool) -> None:
    """Whatever stands next to it, the good key stays and signs for every issuer."""
    keys = parse_key_set(json.dumps({"keys": [odd, GOOD_JWK] if first else [GOOD_JWK, odd]}).encode()).keys
    assert keys[GOOD_JWK["kid"]].signs_for("https://any/", "t")
    assert len(keys) <= 2


def test_numbers_of_any_length_are_bounded_work() -> None:
    """A set as large as a document may be, with numbers of a megabyte, is read in linear time."""
    long = "_" * (MAX_DOCUMENT_BYTES // 2 - 2000)
    started_s = time.process_time()
    assert usable_kids([{**OTHER_JWK, "e": long}, {**OTHER_JWK, "n": long}, GOOD_JWK]) == [GOOD_JWK["kid"]]
    assert time.process_time() - started_s < 2, "CPU time, not wall time: milliseconds when it is linear"


def test_reads_a_thousand_keys_and_no_more() -> None:
    """A set beyond the cap is cut, and says so."""
    entries = [{**GOOD_JWK, "kid": str(index)} for index in range(MAX_KEYS + 5)]
    key_set = parse_key_set(json.dumps({"keys": entries}).encode())
    assert len(key_set.keys) == MAX_KEYS
    assert "1005 entries" in key_set.left_out


@pytest.mark.parametrize("document", BAD_SETS[:-1], ids=str)
def test_no_set(document: object) -> None:
    """A document without a list of keys is an error, not an empty set."""
    with pytest.raises(StrictJsonError):
        parse_key_set(json.dumps(document).encode())

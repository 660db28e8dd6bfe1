"""JWK sets: the usable keys, and no other."""

import json
import logging

import pytest

from claims.token.jwks import MAX_KEYS, parse_key_set
from claims.wire.strict_json import StrictJsonError
from tests.claims.token.hostile_documents import BAD_JWKS, BAD_SETS, GOOD_JWK, OTHER_JWK, usable_kids


@pytest.mark.parametrize(
    "bad",
    [jwk for jwk in BAD_JWKS if not (isinstance(jwk, dict) and jwk.get("key_ops") == ["verify"])],
    ids=lambda jwk: str(jwk)[:60],
)
def test_bad_key_spoils_nothing(bad: object) -> None:
    """An entry that may not sign is left out, and the good key beside it stays."""
    assert usable_kids([bad, GOOD_JWK]) == [GOOD_JWK["kid"]]
    assert usable_kids([GOOD_JWK, bad]) == [GOOD_JWK["kid"]]


@pytest.mark.parametrize(
    "members", [{}, {"alg": "RS256"}, {"key_ops": ["verify"]}, {"use": None}, {"issuer": "x"}], ids=str
)
def test_usable_key(members: dict[str, object]) -> None:
    """A key that says nothing of itself, or the right thing, may sign."""
    assert usable_kids([{**OTHER_JWK, **members}]) == [OTHER_JWK["kid"]]


def test_ambiguous_key_id(caplog: pytest.LogCaptureFixture) -> None:
    """A key id that two keys claim names neither, and the log says so."""
    with caplog.at_level(logging.WARNING):
        assert usable_kids([GOOD_JWK, {**OTHER_JWK, "kid": GOOD_JWK["kid"]}]) == []
    assert "1 ambiguous" in caplog.text


def test_same_key_twice() -> None:
    """A repeated entry is no contradiction."""
    assert usable_kids([GOOD_JWK, GOOD_JWK]) == [GOOD_JWK["kid"]]


def test_reads_a_thousand_keys_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """A set beyond the cap is cut, with a warning."""
    with caplog.at_level(logging.WARNING):
        kids = usable_kids([{**GOOD_JWK, "kid": str(index)} for index in range(MAX_KEYS + 5)])
    assert len(kids) == MAX_KEYS
    assert "1005 entries" in caplog.text


@pytest.mark.parametrize("document", BAD_SETS[:-1], ids=str)
def test_no_set(document: object) -> None:
    """A document without a list of keys is an error, not an empty set."""
    with pytest.raises(StrictJsonError):
        parse_key_set(json.dumps(document).encode())

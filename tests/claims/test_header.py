"""Authorization and content headers."""

import pytest

from claims.errors import MediaRefused, TokenRefused
from claims.header import MAX_TOKEN_BYTES, bearer_token, require_json
from tests.claims.token.hostile_documents import AUTHORIZATION, CONTENT_HEADERS


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_takes_the_token_whatever_the_scheme_s_case(scheme: str) -> None:
    """The scheme is case-insensitive, and more than one blank may follow it."""
    assert bearer_token({"authorization": f"{scheme} a.b.c"}) == "a.b.c"


def test_takes_a_token_of_the_largest_size() -> None:
    """The cap is inclusive."""
    token = "a" * MAX_TOKEN_BYTES
    assert bearer_token({"authorization": f"Bearer {token}"}) == token


@pytest.mark.parametrize("value", AUTHORIZATION, ids=lambda value: value[:20])
def test_refuses_anything_else(value: str) -> None:
    """Another scheme, several credentials, none, or too much."""
    with pytest.raises(TokenRefused):
        bearer_token({"authorization": value})


def test_missing_header_has_a_code_of_its_own() -> None:
    """RFC 6750 answers a request without credentials differently from a bad one."""
    with pytest.raises(TokenRefused, match="token_missing"):
        bearer_token({})


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_accepts_json(content_type: str) -> None:
    """JSON in UTF-8, however it is spelled."""
    require_json({"content-type": content_type})


@pytest.mark.parametrize("headers", CONTENT_HEADERS, ids=str)
def test_refuses_other_media(headers: dict[str, str]) -> None:
    """Another type, charset or any content encoding."""
    with pytest.raises(MediaRefused):
        require_json(headers)

"""Authorization and content headers."""

import re

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from claims.errors import MediaRefused, TokenRefused
from claims.header import MAX_TOKEN_BYTES, bearer_token, require_json
from tests.claims.token.hostile_documents import AUTHORIZATION, CONTENT_HEADERS


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_takes_the_token_whatever_the_scheme_s_case(scheme: str) -> None:
    """The scheme is case-insensitive, and more than one blank may follow it."""
    assert bearer_token({"authorization": f"{scheme} a.b.c"}) == "a.b.c"


def test_takes_a_token_of_the_largest_size() -> None:
    """The limit is inclusive."""
    token = "a" * MAX_TOKEN_BYTES
    assert bearer_token({"authorization": f"Bearer {token}"}) == token


@pytest.mark.parametrize("value", AUTHORIZATION, ids=lambda value: value[:20])
def test_refuses_anything_else(value: str) -> None:
    """Another scheme, several credentials, none, or too much."""
    with pytest.raises(TokenRefused):
        bearer_token({"authorization": value})


def test_missing_header_has_its_own_code() -> None:
    """RFC 6750 answers a request without credentials differently from a bad one."""
    with pytest.raises(TokenRefused, match="token_missing"):
        bearer_token({})


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json \t",
        "application/json; charset=utf-8",
        'application/json\t;\tCharset="UTF-8" ',
    ],
)
def test_accepts_json(content_type: str) -> None:
    """JSON in UTF-8, in each of its spellings."""
    require_json({"content-type": content_type})


@pytest.mark.parametrize("headers", CONTENT_HEADERS, ids=str)
def test_refuses_other_media(headers: dict[str, str]) -> None:
    """Another type, charset or any content encoding."""
    with pytest.raises(MediaRefused):
        require_json(headers)


#: RFC 9110 sections 5.6.2, 5.6.4, 5.6.6 and 8.3.1, as far as this endpoint goes: one parameter, no escapes in quotes.
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"[\t !#-\[\]-~]*"'
_MEDIA_TYPE = re.compile(rf"({_TOKEN}/{_TOKEN})(?:[ \t]*;[ \t]*({_TOKEN})=({_TOKEN}|{_QUOTED}))?[ \t]*", re.ASCII)


def _is_json_in_utf8(content_type: str) -> bool:
    match = _MEDIA_TYPE.fullmatch(content_type)
    if match is None:
        return False
    media_type, name, value = match.groups()
    in_utf8 = name is None or (name.lower(), value.strip('"').lower()) == ("charset", "utf-8")
    return media_type.lower() == "application/json" and in_utf8


_PIECES = [
    *("application/json", "APPLICATION/json", "application", "/", "json", "text/json", "application/json5"),
    *(";", ",", " ", "\t", "\n", "\r\n", "\x0b", "\xa0", "\u2003", "charset", "CharSet", "=", "utf-8", "UTF-8", "utf8"),
    *('"', '"utf-8"', "'utf-8'", "\\", "charset=utf-8", 'charset="utf-8"', "; charset=utf-8", "boundary=x", "*", "\0"),
    *("application/j\u017fon", "char\u017fet"),  # a long s, which is an s without regard to case
]


@given(
    pieces=st.lists(st.sampled_from(_PIECES), max_size=8)
    | st.lists(st.sampled_from(_PIECES), max_size=5).map(lambda rest: ["application/json", *rest])
)
@hypothesis_settings(max_examples=1000)
@example(pieces=["application/json", "; charset=", '"', "utf-8"])
@example(pieces=["application/json", "; charset=", "utf-8", '"'])
@example(pieces=["application/json", "; charset", " ", "=", " ", "utf-8"])
@example(pieces=["application/json", "\n"])
@example(pieces=["application/j\u017fon"])
@example(pieces=["application/json", "\xa0;charset=utf-8"])
@example(pieces=["application/json", ";charset=utf-8", ";charset=utf-8"])
def test_accepts_what_the_grammar_says(pieces: list[str]) -> None:
    """Of all content types, exactly those are accepted that are well-formed and mean JSON in UTF-8."""
    content_type = "".join(pieces)
    try:
        require_json({"content-type": content_type})
    except MediaRefused:
        accepted = False
    else:
        accepted = True
    assert accepted == _is_json_in_utf8(content_type)

"""Strict JSON: one meaning or none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.wire.strict_json import StrictJsonError, parse, parse_object


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b'{"a":1} x', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a":1,"a":1}', "duplicate"),
        (b'{"a":{"b":1,"b":2}}', "duplicate"),
        (b'{"a":1,"\\u0061":2}', "duplicate"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"1e999", "double"),
        (b"-1e999", "double"),
        (b"9" * 5000, "not JSON"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udFFF":1}', "surrogate"),
        (b'"a\nb"', "not JSON"),
        (b"[" * 100_000, "deep"),
        (b'{"a":' * 20_000, "deep"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_refuses(data: bytes, why: str) -> None:
    """What another reader could take differently is refused, with the rule's name and nothing of the content."""
    with pytest.raises(StrictJsonError, match=why):
        parse(data)


def test_accepts_a_surrogate_pair() -> None:
    """A pair of escapes is one character."""
    assert parse(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("data", [b"[]", b'"a"', b"1", b"null", b"true"])
def test_object_is_required(data: bytes) -> None:
    """Another kind of value is no object."""
    with pytest.raises(StrictJsonError, match="not an object"):
        parse_object(data)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@given(value=_VALUES)
def test_reads_what_json_writes(value: object) -> None:
    """Every value survives the round trip, escaped or not."""
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(data=st.binary(max_size=200))
def test_raises_nothing_else(data: bytes) -> None:
    """Any bytes either parse or raise the one error."""
    try:
        parse(data)
    except StrictJsonError as error:
        assert str(error)

"""The stand-in for protobuf is as strict as protobuf."""

import pytest

from selftest.host.protos import RpcHttp, RpcHttpCookie, TypedData


@pytest.mark.parametrize("headers", [{"x": 5}, {5: "x"}, {"x": b"y"}, {"x": None}])
def test_headers_are_text(headers: dict[str, str]) -> None:
    """A header that is no str cannot leave the worker."""
    with pytest.raises(TypeError, match="expected str"):
        RpcHttp(headers=headers)


def test_status_is_text() -> None:
    """The status travels as a str."""
    with pytest.raises(TypeError, match="status_code"):
        RpcHttp(status_code=200)  # type: ignore[arg-type]  # the error that is tested


def test_text_is_unicode() -> None:
    """A lone surrogate has no form on the wire."""
    with pytest.raises(UnicodeEncodeError):
        RpcHttp(headers={"x": "\ud800"})


@pytest.mark.parametrize("fields", [{"bytes": "text"}, {"string": b"bytes"}, {"http": {}}, {"json": {}}])
def test_value_has_its_kinds_type(fields: dict[str, object]) -> None:
    """A value of another type is refused."""
    with pytest.raises(TypeError, match="expected"):
        TypedData(**fields)


def test_value_is_of_one_kind() -> None:
    """Two kinds at once are refused."""
    with pytest.raises(TypeError, match="one value"):
        TypedData(string="a", json="b")


def test_empty_value_has_no_kind() -> None:
    """No field, or only None, is no value."""
    assert TypedData().WhichOneof("data") is None
    assert TypedData(bytes=None).WhichOneof("data") is None
    assert TypedData(bytes=b"").WhichOneof("data") == "bytes"


def test_same_site_has_a_member_named_none() -> None:
    """The worker asks for it by name."""
    assert getattr(RpcHttpCookie.SameSite, "None") == 0

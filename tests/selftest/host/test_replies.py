"""Answers that the real edge would not send."""

import pytest

from selftest.host.protos import RpcHttp, TypedData
from selftest.host.replies import UnsendableError, empty, to_reply


@pytest.mark.parametrize("status", ["abc", "", "-200"])
def test_status_that_http_does_not_have(status: str) -> None:
    """A status is a number; which one is the function's choice, as on Microsoft's host."""
    with pytest.raises(UnsendableError, match="status"):
        to_reply(TypedData(http=RpcHttp(status_code=status)))


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=1", "a\nb", "nul\0", "naïve", "\x7f"])
def test_header_that_http_cannot_carry(value: str) -> None:
    """A line break cannot smuggle a header, and values are ASCII."""
    with pytest.raises(UnsendableError, match="X-Name"):
        to_reply(TypedData(http=RpcHttp(status_code="200", headers={"X-Name": value})))
    with pytest.raises(UnsendableError, match="X-Name"):  # host.json's customHeaders
        empty(404).with_headers((("X-Name", value),))


@pytest.mark.parametrize("value", [TypedData(json="{}"), TypedData(bytes=b"x"), TypedData()])
def test_answer_that_is_not_http(value: TypedData) -> None:
    """Only a response and a text are answers."""
    with pytest.raises(UnsendableError, match="answered with"):
        to_reply(value)


def test_missing_body_is_empty() -> None:
    """A response without a body has length 0, and none where HTTP allows no body."""
    response = to_reply(TypedData(http=RpcHttp(status_code="204")))
    assert (response.status, response.body) == (204, b"")
    assert "Content-Length" not in dict(response.headers)
    assert dict(to_reply(TypedData(http=RpcHttp(status_code="200"))).headers)["Content-Length"] == "0"

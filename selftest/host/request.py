"""A request as it came, in the form in which the Functions host hands it to a function.

Source: azure-functions-host ``GrpcMessageConversionExtensions.ToRpcHttp``; ASP.NET Core, Kestrel's limits.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote

import h11

from selftest.host.worker import FunctionRequest

#: Kestrel's limits: of the request line, of all headers together, of their number.
_MAX_LINE_BYTES: Final = 8_192
_MAX_HEADERS_BYTES: Final = 32_768
_MAX_HEADERS: Final = 100
#: A slash and a percent sign stay encoded in a path.
_KEPT_ENCODED: Final = re.compile(r"%(?=2[Ff]|25)")
_ABSOLUTE: Final = re.compile(r"https?://[^/?]*", re.IGNORECASE)

type MakeRequest = Callable[[Mapping[str, str], bytes], FunctionRequest]


class UnreadableError(Exception):
    """Kestrel refuses the head of the request.

    Attributes:
        status: The status of its empty response.
    """

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


def body_length(request: h11.Request) -> int:
    """Return the announced length of the body in bytes; 0 where none is announced."""
    return next((int(value) for name, value in request.headers if name == b"content-length"), 0)


def to_function_request(request: h11.Request) -> tuple[str, MakeRequest]:
    """Return the decoded path, and what makes the function's request from the route's parameters and the body.

    Raises:
        UnreadableError: The head is larger than Kestrel takes, or a header is not UTF-8.
    """
    pairs = _headers(request)
    target = _ABSOLUTE.sub("", request.target.decode(), count=1)
    path, _, query = target.partition("?")
    headers = _joined(pairs)

    def make(route_params: Mapping[str, str], body: bytes) -> FunctionRequest:
        return FunctionRequest(
            method=request.method.decode(),
            url=f"http://{headers.get('host', '')}{target}",
            headers=headers,
            query={name: value for name, value in _joined_query(query).items() if value},
            route_params=route_params,
            body=body,
            trace_parent=headers.get("traceparent", ""),
            trace_state=headers.get("tracestate", ""),
        )

    return unquote(_KEPT_ENCODED.sub("%25", path)), make


def _headers(request: h11.Request) -> list[tuple[str, str]]:
    if len(request.target) + len(request.method) + len(b"  HTTP/1.1\r\n") > _MAX_LINE_BYTES:
        raise UnreadableError(414)
    size = sum(len(name) + len(value) + len(b": \r\n") for name, value in request.headers)
    if size > _MAX_HEADERS_BYTES or len(request.headers) > _MAX_HEADERS:
        raise UnreadableError(431)
    try:
        return [(name.decode(), value.decode()) for name, value in request.headers]
    except UnicodeDecodeError as error:
        raise UnreadableError(400) from error


def _joined_query(query: str) -> dict[str, str]:
    """Join the values of a repeated name, whose first spelling stays; names differ by more than case."""
    pairs = parse_qsl(query, keep_blank_values=True)
    spelling: dict[str, str] = {}
    return _joined((spelling.setdefault(name.lower(), name), value) for name, value in pairs)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of a repeated name with commas."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in values.items()}

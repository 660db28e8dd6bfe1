"""A request as it came, in the form in which the Functions host hands it to a function.

Source: azure-functions-host ``GrpcMessageConversionExtensions.ToRpcHttp``; ASP.NET Core, Kestrel's limits; both as run.
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
_VERSIONS: Final = (b"1.0", b"1.1")
#: A slash stays encoded in a path.
_KEPT_ENCODED: Final = re.compile(r"%(?=2[Ff])")
#: An encoded letter, digit, hyphen, dot, underscore or tilde is decoded in the URL, too.
_UNRESERVED: Final = re.compile(r"%(?:2[DEde]|3\d|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])")
_BARE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ABSOLUTE: Final = re.compile(r"https?://([^/?]*)", re.IGNORECASE)

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


def has_two_framings(request: h11.Request) -> bool:
    """Whether the body's end is announced twice; Kestrel believes the chunks and closes the connection."""
    return {b"content-length", b"transfer-encoding"} <= {name for name, _ in request.headers}


def to_function_request(request: h11.Request) -> tuple[str, MakeRequest]:
    """Return the decoded path, and what makes the function's request from the route's parameters and the body.

    Raises:
        UnreadableError: Kestrel takes no such head: too large, not UTF-8, of another version, or for another host.
    """
    headers = _joined(_headers(request))
    target = _target(request, headers.get("host"))
    path, mark, query = target.partition("?")
    path = _without_dots(_UNRESERVED.sub(lambda found: unquote(found[0]), path))

    def make(route_params: Mapping[str, str], body: bytes) -> FunctionRequest:
        return FunctionRequest(
            method=request.method.decode(),
            url=f"http://{headers.get('host', '')}{_BARE_PERCENT.sub('%25', path)}{mark}{query}",
            headers=headers,
            query={name: value for name, value in _joined_query(query).items() if value},
            route_params=route_params,
            body=body,
            trace_parent=headers.get("traceparent", ""),
            trace_state=headers.get("tracestate", ""),
        )

    return unquote(_KEPT_ENCODED.sub("%25", path)), make


def _target(request: h11.Request, host: str | None) -> str:
    """Return the path and the query of the request line."""
    if request.http_version not in _VERSIONS:
        raise UnreadableError(505)
    if host is None:
        raise UnreadableError(500)
    target = request.target.decode()
    absolute = _ABSOLUTE.match(target)
    if (absolute and absolute[1] != host) or request.method == b"CONNECT" or "%00" in target.partition("?")[0]:
        raise UnreadableError(400)
    if target == "*":
        raise UnreadableError(405)
    return (target[absolute.end() :] or "/") if absolute else target


def _without_dots(path: str) -> str:
    """Resolve the segments ``.`` and ``..`` (RFC 3986 section 5.2.4)."""
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            segments = segments[:-1] if len(segments) > 1 else segments
        elif segment != ".":
            segments.append(segment)
    return "/".join(segments)


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
    """Join the values of a repeated name, whose last spelling stays; names differ by more than case."""
    pairs = parse_qsl(query, keep_blank_values=True)
    spelling = {name.lower(): name for name, _ in pairs}
    return _joined((spelling[name.lower()], value) for name, value in pairs)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of a repeated name with commas, without those that are empty."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: ",".join(filter(None, several)) for name, several in values.items()}

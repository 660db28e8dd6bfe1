"""Writes a function's answer to the client as the Functions host does.

What Kestrel would refuse to send becomes an empty 500 here too: a control or non-ASCII character in a header, a status
that is no number, a ``Content-Length`` that is shorter than the body. Other framing that a function chose goes out as
it is, as there: a ``Content-Length`` that is too long ends in a cut answer, ``Transfer-Encoding: chunked`` in a body
without an end. An answer without either is chunked.

Source: azure-functions-host ``GrpcMessageConversionExtensions``, ``RawScriptResult``; ASP.NET Core ``HttpHeaders``
(header values are ASCII without control characters).
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from typing import Final

from selftest.host.protos import RpcHttp, RpcHttpCookie, TypedData

#: The real edge says who it is in the same word.
_SERVER: Final = "Kestrel"
_SENDABLE: Final = re.compile(r"[\t\x20-\x7e]*")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WITHOUT_BODY: Final = (204, 304)
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_HOMEPAGE: Final = b"<!DOCTYPE html><html><body>Your Functions 4.0 app is up and running</body></html>"
_SAME_SITE: Final = {1: "lax", 2: "strict", 3: "none"}


class UnsendableError(Exception):
    """HTTP cannot carry the answer.

    Attributes:
        closes: Whether Kestrel notices it only while it sends, and closes the connection.
    """

    def __init__(self, message: str, *, closes: bool = False) -> None:
        self.closes = closes
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What the client receives.

    Attributes:
        headers: In their order; a name may repeat.
        as_given: Whether the function chose the framing: sent as it is, right or wrong.
        closes: Whether the connection ends with it.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    as_given: bool = False
    closes: bool = False

    def with_headers(self, headers: tuple[tuple[str, str], ...]) -> "HttpReply":
        """Return the reply with these headers, but for those that it has.

        Raises:
            UnsendableError: One has a character that HTTP headers cannot carry.
        """
        if not headers:
            return self
        _require_sendable(headers)
        names = {name.lower() for name, _ in self.headers}
        return replace(self, headers=(*self.headers, *(pair for pair in headers if pair[0].lower() not in names)))


def empty(status: int, *headers: tuple[str, str], closes: bool = False) -> HttpReply:
    """Return a reply of the host: a status without a body."""
    end = (("Connection", "close"),) * closes
    return HttpReply(status, (("Content-Length", "0"), *_own(), *end, *headers), closes=closes)


def homepage() -> HttpReply:
    """Return what the host shows at ``/``, whether or not an app is loaded."""
    length = ("Content-Length", str(len(_HOMEPAGE)))
    return HttpReply(200, (length, ("Content-Type", "text/html"), *_own()), _HOMEPAGE)


def to_reply(value: TypedData) -> HttpReply:
    """Return what the client receives for a function's answer.

    Raises:
        UnsendableError: A header or the status is not one that HTTP can carry.
    """
    if value.WhichOneof("data") == "string":
        return _reply(200, [("Content-Type", "text/plain; charset=utf-8")], value.string.encode())
    if value.WhichOneof("data") != "http":
        raise UnsendableError(f"an HTTP function answered with a {value.WhichOneof('data')} value")
    http = value.http
    try:
        status = int(http.status_code)
    except ValueError as error:
        raise UnsendableError(f"the status {http.status_code!r} is not a number") from error
    if status < 0:
        raise UnsendableError(f"the status {status} is below zero")
    body = http.body.bytes if http.body is not None and http.body.WhichOneof("data") == "bytes" else b""
    return _reply(status, _headers(http), body)


def _reply(status: int, headers: list[tuple[str, str]], body: bytes) -> HttpReply:
    framing = {name.lower(): value for name, value in headers if name.lower() in _FRAMING}
    length = framing.get("content-length")
    if length is not None and (not length.isdecimal() or int(length) < len(body)):
        problem = f"Content-Length is {length} for a body of {len(body)} bytes: leave it to the host"
        raise UnsendableError(problem, closes=True)
    odd = "transfer-encoding" in framing or (length is not None and int(length) != len(body))
    if not body and not framing and status not in _WITHOUT_BODY:
        headers = [("Content-Length", "0"), *headers]
    given = {name.lower() for name, _ in headers}
    own = (pair for pair in _own() if pair[0].lower() not in given)
    # A body where there must be none ends the connection.
    return HttpReply(status, (*own, *headers), body, as_given=odd, closes=bool(body) and status in _WITHOUT_BODY)


def _own() -> tuple[tuple[str, str], ...]:
    return ("Date", _date(int(time.time()))), ("Server", _SERVER)


@lru_cache(maxsize=1)
def _date(epoch_s: int) -> str:
    return formatdate(epoch_s, usegmt=True)


def _headers(http: RpcHttp) -> list[tuple[str, str]]:
    headers = [(name, value.strip(" \t")) for name, value in http.headers.items()]
    _require_sendable(headers)
    return headers + [("Set-Cookie", _cookie(cookie)) for cookie in http.cookies or ()]


def _require_sendable(headers: Iterable[tuple[str, str]]) -> None:
    for name, value in headers:
        if not _SENDABLE.fullmatch(value) or not _NAME.fullmatch(name):
            raise UnsendableError(f"the header {name!r} has a character that HTTP headers cannot carry")


def _cookie(cookie: RpcHttpCookie) -> str:
    """Write a cookie with its attributes in ASP.NET's order; the path defaults to the whole site there."""
    parts = [f"{cookie.name}={cookie.value}"]
    if cookie.expires is not None:
        parts.append(f"expires={formatdate(cookie.expires.value.seconds, usegmt=True)}")
    if cookie.max_age is not None:
        parts.append(f"max-age={cookie.max_age.value:.0f}")
    if cookie.domain is not None and cookie.domain.value:
        parts.append(f"domain={cookie.domain.value}")
    parts.append(f"path={cookie.path.value if cookie.path is not None and cookie.path.value else '/'}")
    if cookie.secure is not None and cookie.secure.value:
        parts.append("secure")
    if cookie.same_site in _SAME_SITE:
        parts.append(f"samesite={_SAME_SITE[cookie.same_site]}")
    if cookie.http_only is not None and cookie.http_only.value:
        parts.append("httponly")
    return "; ".join(parts)

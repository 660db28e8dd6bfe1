"""Writes a function's answer to the client as the Functions host does.

What Kestrel would refuse to send becomes an empty 500 here too: a control or non-ASCII character in a header, a status
that is no number. ``Content-Length`` is recomputed, whatever the function claimed.

Source: azure-functions-host ``GrpcMessageConversionExtensions``, ``RawScriptResult``; ASP.NET Core ``HttpHeaders``
(header values are ASCII without control characters).
"""

import re
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from selftest.host.protos import RpcHttp, RpcHttpCookie, TypedData

#: The real edge says who it is in the same word.
_SERVER: Final = "Kestrel"
_SENDABLE: Final = re.compile(r"[\t\x20-\x7e]*")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_RECOMPUTED: Final = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "date", "server"})
#: Statuses of which HTTP allows no body.
_WITHOUT_LENGTH: Final = (204, 304)
_SAME_SITE: Final = {1: "lax", 2: "strict", 3: "none"}


class UnsendableError(Exception):
    """HTTP cannot carry the answer."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What the client receives.

    Attributes:
        headers: In their order; a name may repeat.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


def empty(status: int) -> HttpReply:
    """Return a reply of the host: a status and nothing else."""
    return _reply(status, [], b"")


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
    if not 200 <= status <= 999:
        raise UnsendableError(f"the status {status} is not one that a function may send (200 to 999)")
    body = http.body.bytes if http.body is not None and http.body.WhichOneof("data") == "bytes" else b""
    return _reply(status, _headers(http), body)


def _reply(status: int, headers: list[tuple[str, str]], body: bytes) -> HttpReply:
    own = (
        *(("Content-Length", str(len(body))),) * (status not in _WITHOUT_LENGTH),
        ("Date", formatdate(usegmt=True)),
        ("Server", _SERVER),
    )
    return HttpReply(status, (*own, *headers), body)


def _headers(http: RpcHttp) -> list[tuple[str, str]]:
    headers = []
    for name, value in http.headers.items():
        if not _SENDABLE.fullmatch(value) or not _NAME.fullmatch(name):
            raise UnsendableError(f"the header {name!r} has a character that HTTP headers cannot carry")
        if name.lower() not in _RECOMPUTED:
            headers.append((name, value.strip(" \t")))
    return headers + [("Set-Cookie", _cookie(cookie)) for cookie in http.cookies or ()]


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

"""Writes a function's answer to the client as the Functions host does.

What Kestrel would refuse to send becomes an empty 500 here too: a control or non-ASCII character in a header, a status
that is no number. ``Content-Length`` is computed anew, whatever the function claimed.

Source: azure-functions-host ``GrpcMessageConversionExtensions``, ``RawScriptResult``; ASP.NET Core ``HttpHeaders``
(header values are ASCII without control characters).
"""

import re
from email.utils import formatdate
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from selftest.host.protos import RpcHttp, RpcHttpCookie, TypedData

#: The real edge says who it is in the same word.
_SERVER: Final = "Kestrel"
_SENDABLE: Final = re.compile(r"[\t\x20-\x7e]*")
_RECOMPUTED: Final = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
_SAME_SITE: Final = {1: "lax", 2: "strict", 3: "none"}


class UnsendableError(Exception):
    """The answer cannot be put on the wire."""


def empty(status: int) -> web.Response:
    """Return an answer of the host itself: a status and nothing else."""
    return web.Response(status=status, headers={"Server": _SERVER})


def to_response(value: TypedData) -> web.Response:
    """Return what the client receives for a function's answer.

    Raises:
        UnsendableError: a header or the status is not one that HTTP can carry.
    """
    if value.WhichOneof("data") == "string":
        headers = {"Content-Type": "text/plain; charset=utf-8", "Server": _SERVER}
        return web.Response(body=value.string.encode(), headers=headers)
    if value.WhichOneof("data") != "http":
        raise UnsendableError(f"an HTTP function answered with a {value.WhichOneof('data')} value")
    http = value.http
    try:
        status = int(http.status_code)
    except ValueError as error:
        raise UnsendableError(f"the status {http.status_code!r} is no number") from error
    if not 200 <= status <= 999:
        raise UnsendableError(f"the status {status} is not one that a function may send (200 to 999)")
    return web.Response(status=status, body=_body(http), headers=_headers(http))


def _body(http: RpcHttp) -> bytes:
    return http.body.bytes if http.body is not None and http.body.WhichOneof("data") == "bytes" else b""


def _headers(http: RpcHttp) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict({"Server": _SERVER})
    for name, value in http.headers.items():
        if not _SENDABLE.fullmatch(value) or not _SENDABLE.fullmatch(name):
            raise UnsendableError(f"the header {name!r} has a character that HTTP headers cannot carry")
        if name.lower() not in _RECOMPUTED:
            headers[name] = value
    for cookie in http.cookies or ():
        headers.add("Set-Cookie", _cookie(cookie))
    return headers


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

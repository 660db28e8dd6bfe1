"""The requests that both hosts answer, one list. Each names the measured difference that it covers, or 0."""

from dataclasses import dataclass
from typing import Final

from tests.parity.app.function_app import ANSWERS

_POST: Final = "POST /api/items/box"


@dataclass(frozen=True, slots=True)
class Probe:
    """One request.

    Attributes:
        name: Its name in the table of known differences.
        row: Of the differences that were measured on Microsoft's host; 0 where both were alike.
        request: Its bytes.
    """

    name: str
    row: int
    request: bytes


def _ask(name: str, row: int, line: str, *headers: str, body: bytes = b"", version: str = "HTTP/1.1") -> Probe:
    head = "\r\n".join((f"{line} {version}", "Host: probe.example", *headers))
    return Probe(name, row, head.encode("latin-1") + b"\r\n\r\n" + body)


def _get(name: str, row: int, path: str, *headers: str) -> Probe:
    return _ask(name, row, f"GET {path}", *headers)


def _post(name: str, row: int, *headers: str, body: bytes = b"") -> Probe:
    return _ask(name, row, _POST, *headers, body=body)


def _sized(name: str, row: int, body: bytes, *headers: str) -> Probe:
    return _post(name, row, f"Content-Length: {len(body)}", *headers, body=body)


#: None has a ``code``: the host keeps the keys of each run beside its program, and answers 500 after ten of them.
_PATHS: Final = (
    _get("path", 0, "/api/items/box"),
    _get("path, other case", 0, "/API/ITEMS/Box"),
    _get("path, last slash", 0, "/api/items/box/"),
    _get("path, double slash", 0, "/api//items/box"),
    _get("path, unknown", 0, "/api/nothing"),
    _get("path, without prefix", 0, "/items/box"),
    _get("path, %2F", 0, "/api/items/a%2Fb"),
    _get("path, %20", 0, "/api/items/a%20b"),
    _get("path, %65", 12, "/api/it%65ms/box"),
    _get("path, dots", 12, "/api/x/../items/box"),
    _get("path, not ASCII", 12, "/api/items/\xe4"),
    _get("path, %00", 12, "/api/items/a%00b"),
    _get("path, %25", 0, "/api/items/a%25b"),
    _get("path, broken percent", 0, "/api/items/a%zz"),
    _get("path, plus", 0, "/api/items/a+b"),
    _get("path, semicolon", 0, "/api/items/a;b=1"),
    _get("path, absolute", 12, "http://probe.example/api/items/box"),
    _get("path, absolute, other host", 12, "http://other.example/api/items/box"),
    _get("path, asterisk", 12, "*"),
    _get("path, int", 0, "/api/items/box/-7"),
    _get("path, no int", 0, "/api/items/box/x"),
    _get("path, length", 6, "/api/len/ab"),
    _get("path, wrong length", 6, "/api/len/abcd"),
    _get("path, default", 6, "/api/def"),
    _get("path, default replaced", 6, "/api/def/6"),
    _get("path, key needed", 0, "/api/keyed"),
    _get("path, /", 13, "/"),
    _get("path, /admin", 13, "/admin/host/status"),
    _get("path, /runtime", 13, "/runtime/webhooks/x"),
    _get("path, /favicon.ico", 13, "/favicon.ico"),
    _get("query", 0, "/api/items/box?a=1&A=2&b=&c=%20x"),
    _get("query, plus", 0, "/api/items/box?a=x+y&b=%2B"),
    _get("query, no name", 0, "/api/items/box?=1&&x"),
)
_VERBS: Final = (
    *(_ask(f"verb {verb}", 0, f"{verb} /api/items/box") for verb in ("PUT", "PATCH", "DELETE")),
    *(_ask(f"verb {verb}, not declared", 0, f"{verb} /api/answer/plain") for verb in ("POST", "OPTIONS", "PUT")),
    _ask("verb POST, /", 13, "POST /"),
    _ask("verb FOO", 12, "FOO /api/items/box"),
    _ask("verb get", 12, "get /api/items/box"),
    _ask("verb get, not declared", 12, "get /api/answer/plain"),
    _ask("verb CONNECT", 12, "CONNECT probe.example:80"),
    _ask("verb TRACE", 12, "TRACE /api/items/box"),
)
_HEADERS: Final = (
    _get("header names", 0, "/api/items/box", "Probe-A: 1", "PROBE-b: 2", "probe-A: 3", "Probe-Empty:"),
    _get("header spaces", 0, "/api/items/box", "Probe-A:   x  y  "),
    _get("header, not ASCII", 10, "/api/items/box", "Probe-A: \xe4"),
    _get("header without colon", 12, "/api/items/box", "nothing"),
    _get("header with a space in its name", 12, "/api/items/box", "Probe A: 1"),
    _get("header folded", 12, "/api/items/box", "Probe-A: 1", " 2"),
    _get("authorization twice", 0, "/api/items/box", "Authorization: Bearer a", "Authorization: Bearer b"),
    _get("authorization, one empty", 13, "/api/items/box", "Authorization: Bearer a", "Authorization:"),
    _get("headers of 33,000 bytes", 10, "/api/items/box", f"Probe-A: {'x' * 33_000}"),
    _get("headers of 30,000 bytes", 10, "/api/answer/plain", f"Probe-A: {'x' * 30_000}"),
    _get("100 headers", 10, "/api/answer/plain", *["Probe-A: x"] * 99),
    _get("101 headers", 10, "/api/answer/plain", *["Probe-A: x"] * 100),
    _get("request line of 8,193 bytes", 10, "/api/answer/plain?" + "x" * (8_193 - 33)),
    _get("request line of 8,192 bytes", 10, "/api/answer/plain?" + "x" * (8_192 - 33)),
    _get("no host", 12, "/api/answer/plain", "Host: another"),
    _get("connection: close", 0, "/api/answer/plain", "Connection: close"),
    Probe("host is missing", 12, b"GET /api/answer/plain HTTP/1.1\r\n\r\n"),
    Probe("HTTP/1.0", 12, b"GET /api/answer/plain HTTP/1.0\r\n\r\n"),
    _ask("HTTP/1.0 with a host", 12, "GET /api/answer/plain", version="HTTP/1.0"),
    Probe("HTTP/0.9", 12, b"GET /api/answer/plain\r\n\r\n"),
    Probe("HTTP/2.0", 12, b"GET /api/answer/plain HTTP/2.0\r\nHost: x\r\n\r\n"),
    Probe("bare LF", 12, b"GET /api/answer/plain HTTP/1.1\nHost: x\n\n"),
    Probe("not HTTP", 12, b"hello\r\n\r\n"),
    Probe("nothing, then an end", 12, b"\r\n"),
    Probe("two at once", 0, b"GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 2),
)
_BODIES: Final = (
    _sized("body", 0, bytes(range(64))),
    _sized("body, gzip", 0, b"\x1f\x8b", "Content-Encoding: gzip"),
    _sized("body, any type", 0, b"x", "Content-Type: no/such; charset=none"),
    _sized("body, two types", 12, b"x", "Content-Type: a/b", "Content-Type: c/d"),
    _sized("body of 65,536 bytes", 10, b"x" * 65_536),
    _sized("body of 65,537 bytes", 10, b"x" * 65_537),
    _post("body announced, over the limit", 10, "Content-Length: 1000000"),
    _post("body without a length", 0, body=b""),
    _post("body, chunked", 0, "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    _post("body, chunked, broken", 12, "Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n0\r\n\r\n"),
    _post("body, chunked and a length", 12, "Transfer-Encoding: chunked", "Content-Length: 3", body=b"0\r\n\r\n"),
    _post("body, unknown coding", 12, "Transfer-Encoding: zip", body=b"abc"),
    _post("body, two lengths", 12, "Content-Length: 3", "Content-Length: 4", body=b"abcd"),
    _post("body, the same length twice", 12, "Content-Length: 3", "Content-Length: 3", body=b"abc"),
    _post("body, negative length", 12, "Content-Length: -1"),
    _post("body, length that is no number", 12, "Content-Length: x"),
    _post("body, expect", 0, "Content-Length: 1", "Expect: 100-continue", body=b"x"),
    _ask("body, over the limit, unknown path", 10, "POST /api/nothing", "Content-Length: 1000000"),
)
_ROW_OF_ANSWER: Final = {"plain": 13, "custom": 11}
_ANSWERED: Final = tuple(_get(f"answer {name}", _ROW_OF_ANSWER.get(name, 3), f"/api/answer/{name}") for name in ANSWERS)

PROBES: Final[tuple[Probe, ...]] = (*_PATHS, *_VERBS, *_HEADERS, *_BODIES, *_ANSWERED)
#: The app's settings for them.
SETTINGS: Final = {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "65536"}

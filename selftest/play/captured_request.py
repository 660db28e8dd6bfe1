"""A request that somebody captured, read into forms: which members it has, and what kind of value each has.

Values are masked while they are read, so that nothing else in the tool can show one: a report about a real sign-in is
for strangers. What stays of a value is its kind, or the value itself where it is a documented constant or the host of
one of Microsoft's issuers.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from selftest.base.bounded_file import FileError, read_text
from selftest.base.compact_token import decoded_token
from selftest.contract import CALLOUT_DATA_TYPE, EVENT_SERVICE_APP_ID, EVENT_TYPE
from selftest.judge.file_kinds import CALLOUT, kind_of

#: The largest callout body is 64 KiB, and headers have up to 32 KiB.
_MAX_BYTES: Final = 256 * 1024
_GUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_ISSUER_HOST: Final = re.compile(
    r"https://(login\.microsoftonline\.(?:com|us)|sts\.windows\.net|[a-z0-9-]+(\.ciamlogin\.com))/", re.IGNORECASE
)
#: Documented values, which are the same in every tenant.
_CONSTANTS: Final = frozenset({
    EVENT_TYPE, CALLOUT_DATA_TYPE, EVENT_SERVICE_APP_ID, "OAUTH2.0", "SAML", "WS-FED", "Member", "Guest",
    "JWT", "RS256", "1.0", "2.0", "application/json", "application/json; charset=utf-8",
})  # fmt: skip
#: Of each connection, not of the request.
_TRANSPORT: Final = frozenset({"", "host", "content-length", "connection", "transfer-encoding"})
_START_LINE: Final = re.compile(r"[A-Z]+ \S+(?: HTTP/\d(?:\.\d)?)?\s*")

type Forms = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedRequest:
    """The forms of one request, by the path of the member.

    Attributes:
        headers: By lower-case name, without those of the transport; empty where only the body was captured.
        token: Header and claims of the token; empty without one that can be decoded.
        body: The members of the event.
    """

    headers: Forms
    token: Forms
    body: Forms


def read_request(path: Path) -> CapturedRequest:
    """Read a request as HTTP has it, a JSON object with ``headers`` and ``body``, or the body alone.

    Raises:
        FileError: The file holds none of them; the message quotes none of it.
    """
    text = read_text(path, _MAX_BYTES)
    kind = kind_of(text)
    if kind is not None and kind.name != CALLOUT:
        raise FileError(f"{path} is not a captured callout: it looks like {kind}")
    headers, body = _parts(path, text)
    try:
        return CapturedRequest(headers=dict(_header_forms(headers)), token=_token_forms(headers), body=forms(body))
    except RecursionError:
        raise FileError(f"{path} is nested too deeply to be an event") from None


def forms(value: Mapping[str, Any]) -> Forms:
    """Return the form of every member, by its path."""
    return dict(_forms(value, ""))


def token_forms(token: str) -> Forms:
    """Return the forms of a compact token's header and claims, unverified.

    Raises:
        ValueError: It is no compact token.
    """
    header, claims = decoded_token(token)
    return forms({"header": header, "claims": claims})


def _parts(path: Path, text: str) -> tuple[dict[str, str], dict[str, Any]]:
    headers: Any = {}
    start, _, rest = text.partition("\n")
    if _START_LINE.fullmatch(start):
        head, _, text = rest.replace("\r\n", "\n").partition("\n\n")
        headers = {name: value.strip() for line in head.split("\n") for name, _, value in [line.partition(":")]}
    body = _parsed(path, text)
    if isinstance(body, dict) and isinstance(body.get("headers"), dict) and "body" in body:
        headers, body = body["headers"], body["body"]
    if isinstance(body, str):
        body = _parsed(path, body)
    if not isinstance(body, dict):
        raise FileError(f"{path} should hold the JSON object of an event, alone or below a request's headers")
    return {name.lower(): _first(value) for name, value in headers.items() if name.lower() not in _TRANSPORT}, body


def _first(value: object) -> str:
    return str(value[0] if isinstance(value, list) and value else value)


def _parsed(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} holds no JSON body; is it complete?") from error


def _header_forms(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        yield name, "a bearer token" if name == "authorization" else form(value)


def _token_forms(headers: Mapping[str, str]) -> Forms:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    try:
        return token_forms(token.strip()) if scheme.lower() == "bearer" else {}
    except ValueError:
        return {}


def _forms(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _forms(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}", form(inner)


def form(value: object) -> str:
    """Return what kind of value it is, or the value of a documented constant."""
    if isinstance(value, str):
        return _form_of_text(value)
    if isinstance(value, list):
        return f"a list of {_joined(form(item) for item in value) or 'nothing'}"
    kinds = {bool: "a boolean", int: "a number", float: "a number", dict: "an object", type(None): "null"}
    return kinds[type(value)]


def _form_of_text(text: str) -> str:
    if text.lower() in {constant.lower() for constant in _CONSTANTS}:
        return f"'{text}'"
    if issuer := _ISSUER_HOST.match(text):
        rest = _GUID.sub("<id>", text[issuer.end() :])
        host = f"<name>{issuer[2]}" if issuer[2] else issuer[1]
        return f"https://{host}/{rest if re.fullmatch(r'<id>(/v2.0)?/?', rest) else '…'}"
    for kind, pattern in (("a GUID", _GUID), ("a time", _TIME)):
        if pattern.fullmatch(text):
            return kind
    scheme = text.partition("://")[0]
    return f"a URI with {scheme}" if scheme in {"api", "https", "http"} else "a text" if text else "an empty text"


def _joined(kinds: Iterable[str]) -> str:
    return " or ".join(sorted(set(kinds)))

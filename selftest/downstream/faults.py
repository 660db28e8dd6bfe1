"""The named faults of what an endpoint depends on, as a table.

The words are Toxiproxy's where it has one (latency with jitter, reset, slicer, limited data), HTTP's for the rest. A
fault says what goes wrong and where; `selftest.downstream.server` does it.

Source: Toxiproxy README, "Toxics"; RFC 9110 sections 10.2.3 and 15.5; RFC 6750 section 3.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

type Place = Literal["api", "identity", "keys"]
type Manner = Literal["answer", "hang", "reset", "trickle", "truncate", "refuse-known", "expired", "rotate", "outage"]

#: Well over what any profile needs, and over the cap of a careful client.
HUGE_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: what it is called on a command line.
        place: the API (and Graph), the managed identity, or the host of the signing keys.
        says: what happens, reading on from "while …".
        manner: ``answer``: the answer below. ``hang``: none. ``reset``: the connection breaks before it. ``trickle``:
            it comes byte by byte. ``truncate``: it breaks off. ``refuse-known``: 401 to every token issued so far.
            ``expired``: the tokens issued have ended. ``rotate`` and ``outage``: of the signing keys.
        status: of the answer; None is the good answer's.
        headers: beside those of the good answer.
        body: instead of the good answer's; None keeps it.
        delay_s: the least wait before an answer, in seconds.
        jitter_s: up to so much more, in seconds.
    """

    name: str
    place: Place
    says: str
    manner: Manner = "answer"
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    delay_s: float = 0.0
    jitter_s: float = 0.0


def _refusal(code: str) -> bytes:
    return b'{"error":{"code":"%s","message":"no"}}' % code.encode()


_ROWS: Final = (
    Fault(name="latency", place="api", says="the API takes 50 to 200 ms", delay_s=0.05, jitter_s=0.15),
    Fault(name="lateness", place="api", says="the API takes 900 to 1100 ms", delay_s=0.9, jitter_s=0.2),
    Fault(name="slowness", place="api", says="the API takes 2.5 s", delay_s=2.5),
    Fault(name="hang", place="api", says="the API never answers", manner="hang"),
    Fault(name="reset", place="api", says="the API resets connections", manner="reset"),
    Fault(name="trickle", place="api", says="the API's answer trickles", manner="trickle"),
    Fault(
        name="unauthorized",
        place="api",
        says="the API refuses every token",
        status=401,
        headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),),
        body=_refusal("invalid_token"),
    ),
    Fault(name="token-refused", place="api", says="the API refuses the token in use", manner="refuse-known"),
    Fault(name="forbidden", place="api", says="the API answers 403", status=403, body=_refusal("forbidden")),
    Fault(name="not-found", place="api", says="the API knows no such user", status=404, body=_refusal("not_found")),
    Fault(
        name="throttled",
        place="api",
        says="the API answers 429 with Retry-After",
        status=429,
        headers=(("Retry-After", "30"),),
        body=_refusal("throttled"),
    ),
    Fault(name="error", place="api", says="the API answers 500", status=500, body=b"<h1>Server Error</h1>"),
    Fault(name="unavailable", place="api", says="the API answers 503", status=503, body=_refusal("unavailable")),
    Fault(name="truncated", place="api", says="the API's JSON breaks off", manner="truncate"),
    Fault(name="malformed", place="api", says="the API's JSON is malformed", body=b'{"CustomRoles": ["Reader",}'),
    Fault(
        name="huge",
        place="api",
        says="the API's answer is 4 MiB long",
        body=b'{"Greeting":"' + b"x" * HUGE_BYTES + b'"}',
    ),
    Fault(name="identity-expired", place="identity", says="the identity issues expired tokens", manner="expired"),
    Fault(
        name="identity-down",
        place="identity",
        says="the identity answers 500",
        status=500,
        body=b'{"statusCode":500,"message":"no"}',
    ),
    Fault(name="identity-hang", place="identity", says="the identity never answers", manner="hang"),
    Fault(name="identity-garbage", place="identity", says="the identity answers garbage", body=b"<html>not a token"),
    Fault(name="key-rotation", place="keys", says="the signing key rolls", manner="rotate"),
    Fault(name="key-outage", place="keys", says="the key host is down", manner="outage"),
)

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType({row.name: row for row in _ROWS})

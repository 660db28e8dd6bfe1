"""The named faults of an endpoint's dependencies, as a table.

The terms are Toxiproxy's where it has one (latency with jitter, reset, slicer, limited data), and HTTP's for the rest.
A fault describes what fails and where; `selftest.downstream.server` implements it.

Source: Toxiproxy README, "Toxics"; RFC 9110 sections 10.2.3 and 15.5; RFC 6750 section 3.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

type FaultLocation = Literal["api", "identity", "keys"]
type Manner = Literal["answer", "hang", "reset", "trickle", "truncate", "refuse-known", "expired", "rotate", "outage"]

#: Larger than any profile, and than the limit of a careful client.
HUGE_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        name: Its name on a command line.
        says: What happens, as the rest of a sentence that begins with "while".
        place: The API (and Graph), the managed identity, or the host of the signing keys.
        manner: ``answer``: the response below. ``hang``: no response. ``reset``: the connection is reset before the
            response. ``trickle``: the response arrives byte by byte. ``truncate``: it is cut off. ``refuse-known``: 401
            for every token issued so far. ``expired``: issued tokens have already expired. ``rotate`` and ``outage``:
            of the signing keys.
        status: The status of the response; None means that of a good response.
        headers: Headers that are added to those of a good response.
        body: The body of the response; None means that of a good response.
        delay_s: The minimum delay before a response, in seconds.
        jitter_s: The maximum of the additional random delay, in seconds.
    """

    name: str
    says: str
    place: FaultLocation = "api"
    manner: Manner = "answer"
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    delay_s: float = 0.0
    jitter_s: float = 0.0


def _refusal(code: str) -> bytes:
    return b'{"error":{"code":"%s","message":"no"}}' % code.encode()


_ROWS: Final = (
    Fault(name="latency", says="the API takes 50 to 200 ms", delay_s=0.05, jitter_s=0.15),
    Fault(name="lateness", says="the API takes 900 to 1100 ms", delay_s=0.9, jitter_s=0.2),
    Fault(name="slowness", says="the API takes 2.5 s", delay_s=2.5),
    Fault(name="hang", says="the API never answers", manner="hang"),
    Fault(name="reset", says="the API resets connections", manner="reset"),
    Fault(name="trickle", says="the API answers byte by byte", manner="trickle"),
    Fault(
        name="unauthorized",
        says="the API refuses every token",
        status=401,
        headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),),
        body=_refusal("invalid_token"),
    ),
    Fault(name="token-refused", says="the API refuses the token in use", manner="refuse-known"),
    Fault(name="forbidden", says="the API answers 403", status=403, body=_refusal("forbidden")),
    Fault(name="not-found", says="the API does not know the user", status=404, body=_refusal("not_found")),
    Fault(
        name="throttled",
        says="the API answers 429 with Retry-After",
        status=429,
        headers=(("Retry-After", "30"),),
        body=_refusal("throttled"),
    ),
    Fault(name="error", says="the API answers 500", status=500, body=b"<h1>Server Error</h1>"),
    Fault(name="unavailable", says="the API answers 503", status=503, body=_refusal("unavailable")),
    Fault(name="truncated", says="the API's JSON is truncated", manner="truncate"),
    Fault(name="malformed", says="the API's JSON is malformed", body=b'{"CustomRoles": ["Reader",}'),
    Fault(name="huge", says="the API's answer is 4 MiB long", body=b'{"Greeting":"' + b"x" * HUGE_BYTES + b'"}'),
    Fault(name="identity-expired", says="the identity issues expired tokens", place="identity", manner="expired"),
    Fault(
        name="identity-down",
        place="identity",
        says="the identity answers 500",
        status=500,
        body=b'{"statusCode":500,"message":"no"}',
    ),
    Fault(name="identity-hang", says="the identity never answers", place="identity", manner="hang"),
    Fault(name="identity-garbage", says="the identity answers garbage", place="identity", body=b"<html>not a token"),
    Fault(name="key-rotation", says="the signing key rolls over", place="keys", manner="rotate"),
    Fault(name="key-outage", says="the key host is down", place="keys", manner="outage"),
)

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType({row.name: row for row in _ROWS})

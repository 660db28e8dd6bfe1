"""One raw request to the endpoint, and its unmodified response.

The client adds no headers, follows no redirects, decompresses no bodies and stores no cookies, because each of these
would hide what a check looks for. It does not judge the response.
"""

import io
import re
import shlex
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Self

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from selftest.contract import MAX_TIMEOUT_MS
from selftest.judge.received_reply import CallFailure
from selftest.play.caller import CERTIFICATE, Exchange, RequestBody

MAX_CURL_BODY_BYTES: Final = 2048
#: How much of a response is shown; a token or a name that is cut at the end of it is recognized from what follows.
_SHOWN_CHARS: Final = 200
_READ_BYTES: Final = 16 * 1024

_WHOLE_BODY_BYTES: Final = 512 * 1024
_PIECE_BYTES: Final = 64 * 1024
#: What follows the scheme of an Authorization header, or all of it if no scheme is there.
_CREDENTIALS: Final = re.compile(r"(?i)^((?:bearer|basic)\s+)?(?!(?:bearer|basic)\s*$).+")
_CORRELATION_ID: Final = re.compile(rb'"correlationId"\s*:\s*"([0-9A-Fa-f-]{36})"')
# The base64url of a JSON object starts with these characters.
_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_+/=-]{8,}(?:\.[A-Za-z0-9_+/=-]*)*")
#: A function key is in the query.
_QUERY_VALUE: Final = re.compile(r"([?&][^=&#]*=)[^&#]+")
_NAMES: Final = re.compile(
    r'("(?:displayName|givenName|surname|mail|userPrincipalName|companyName|onPremises\w+)"\s*:\s*)"[^"]*"'
)


def redact(text: str) -> str:
    """Remove tokens and people's names from a text, so that it may be shown and stored."""
    return _NAMES.sub(r'\1"redacted"', _TOKEN.sub("$TOKEN", text))


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A request as it is sent; headers may repeat and keep their order."""

    url: str
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_header(self, name: str, value: str) -> Self:
        """Return the request with a single header of this name."""
        return replace(self, headers=(*self.without(name).headers, (name, value)))

    def without(self, name: str) -> Self:
        """Return the request without headers of this name."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=kept)

    def with_body(self, body: bytes) -> Self:
        """Return the request with another body."""
        return replace(self, body=body)

    @property
    def correlation_id(self) -> str | None:
        """Return the correlation id in the body; None if it has none that could be in a log."""
        found = _CORRELATION_ID.search(self.body)
        return None if found is None else found[1].decode()

    def curl(self) -> str:
        """Return the command that repeats the request, with ``$TOKEN`` as the token and without people's names."""
        parts = ["curl -i"] if self.method == "POST" else [f"curl -i -X {self.method}"]
        for name, value in self.headers:
            shown = _CREDENTIALS.sub(r"\1$TOKEN", value) if name.lower() == "authorization" else value
            parts.append(f'-H "{name}: {redact(shown)}"')
        if not any(name.lower() == "content-type" for name, _ in self.headers):
            parts.append('-H "Content-Type:"')
        if self.method == "POST":
            parts.append(self._curl_body())
        return " ".join([*parts, shlex.quote(_QUERY_VALUE.sub(r"\1...", redact(self.url)))])

    def _curl_body(self) -> str:
        if len(self.body) > MAX_CURL_BODY_BYTES:
            return f"--data-binary @body.bin  # {len(self.body)} bytes, starting {redact(repr(self.body[:24]))}"
        try:
            return f"--data-binary {shlex.quote(redact(self.body.decode()))}"
        except UnicodeDecodeError:
            octal = "".join(f"\\{byte:03o}" for byte in self.body)
            return f"--data-binary @<(printf '{octal}')"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResponse:
    """The response to a raw request.

    Attributes:
        status: The HTTP status; None without a complete response.
        failure: Why there is no complete response; None if there is one.
        detail: A description of the failure.
        latency_ms: From sending until the last byte, in milliseconds.
    """

    request: RawRequest
    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    failure: CallFailure | None = None
    detail: str = ""
    latency_ms: float = 0.0

    def header(self, name: str) -> str | None:
        """Return the first header of this name, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def excerpt(self) -> str | None:
        """Return who answered and the start of the body, redacted; None without one, or of a reply with claims."""
        if self.status is None or (self.status == 200 and self.request.method == "POST"):
            return None
        text = " ".join(redact(self.body[:_READ_BYTES].decode(errors="replace")).split())
        server = redact(self.header("Server") or "absent")[:_SHOWN_CHARS]
        return f"Server: {server}; body: {text[:_SHOWN_CHARS] or 'empty'}"

    def __str__(self) -> str:
        """Return the status, or why there is none."""
        if self.status is not None:
            return f"HTTP {self.status}"
        return f"no response ({self.detail if self.detail.startswith(CERTIFICATE) else self.failure})"


async def send(
    session: aiohttp.ClientSession,
    request: RawRequest,
    *,
    timeout_ms: int = MAX_TIMEOUT_MS,
    clock: Callable[[], float] = time.perf_counter,
) -> RawResponse:
    """Send a request, and send it again once if the connection breaks, because a kept-alive one may be closed.

    Every failure is a `RawResponse`; only cancellation raises.
    """
    for _ in range(2):
        # A large body is sent from a file, in pieces, so that it does not block the event loop.
        body = io.BytesIO(request.body) if len(request.body) > _WHOLE_BODY_BYTES else request.body
        response = await _exchanged(session, request, body if request.method == "POST" else None, timeout_ms, clock)
        if response.failure != "connection":
            break
    return response


async def send_withholding(
    session: aiohttp.ClientSession,
    request: RawRequest,
    *,
    withheld_bytes: int,
    until: Callable[[], Awaitable[object]],
    timeout_ms: int = MAX_TIMEOUT_MS,
    clock: Callable[[], float] = time.perf_counter,
) -> RawResponse:
    """Send a request and withhold its last bytes until ``until`` returns; the response may come before.

    Args:
        session: The client session.
        request: The request; the length of its whole body is announced.
        withheld_bytes: How many bytes of the body are withheld.
        until: Called when the other bytes are sent.
        timeout_ms: The timeout of the whole exchange, in milliseconds.
        clock: Returns monotonic seconds.
    """
    sent_first = len(request.body) - withheld_bytes

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, sent_first, _PIECE_BYTES):
            yield request.body[start : min(start + _PIECE_BYTES, sent_first)]
        await until()
        yield request.body[sent_first:]

    announced = request.with_header("Content-Length", str(len(request.body)))
    return await _exchanged(session, announced, pieces(), timeout_ms, clock)


async def _exchanged(
    session: aiohttp.ClientSession,
    request: RawRequest,
    body: RequestBody,
    timeout_ms: int,
    clock: Callable[[], float],
) -> RawResponse:
    url, headers = URL(request.url, encoded=True), CIMultiDict(request.headers)
    exchange = Exchange(session, clock, clock())
    attempt = await exchange.run(url, headers, body, timeout_ms / 1000, method=request.method)
    return RawResponse(
        request=request,
        status=attempt.status if attempt.failure is None else None,
        headers=attempt.headers,
        body=attempt.body,
        failure=attempt.failure,
        detail=attempt.detail,
        latency_ms=attempt.latency_ms,
    )

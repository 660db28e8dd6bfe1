"""One raw request to the endpoint, and what came back, with nothing smoothed over.

The client adds no header of its own, follows no redirect, unpacks no body and keeps no cookie, because each of
those would hide what a check looks for. What it does not do is judge.
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
from selftest.play.caller import Exchange, RequestBody

MAX_CURL_BODY_BYTES: Final = 2048

_WHOLE_BODY_BYTES: Final = 512 * 1024
_PIECE_BYTES: Final = 64 * 1024
_SECRET_HEADER: Final = re.compile(r"(?i)^(bearer|basic)(\s+).+")
# Base64url of a JSON object's first bytes starts so.
_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_+/=-]{8,}(?:\.[A-Za-z0-9_+/=-]*)*")
#: A function key stands in the query.
_QUERY_VALUE: Final = re.compile(r"([?&][^=&#]*=)[^&#]+")
_NAMES: Final = re.compile(
    r'("(?:displayName|givenName|surname|mail|userPrincipalName|companyName|onPremises\w+)"\s*:\s*)"[^"]*"'
)


def redact(text: str) -> str:
    """Take tokens and people's names out of a text, so that it may be shown and stored."""
    return _NAMES.sub(r'\1"redacted"', _TOKEN.sub("$TOKEN", text))


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A request as it goes over the wire; headers may repeat and keep their order."""

    url: str
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_header(self, name: str, value: str) -> Self:
        """Replace every header of this name by one."""
        return replace(self, headers=(*self.without(name).headers, (name, value)))

    def without(self, name: str) -> Self:
        """Leave out every header of this name."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=kept)

    def with_body(self, body: bytes) -> Self:
        """Replace the body."""
        return replace(self, body=body)

    def curl(self) -> str:
        """Write the command that repeats the request: the token is ``$TOKEN``, names of people are replaced."""
        parts = ["curl -i"] if self.method == "POST" else [f"curl -i -X {self.method}"]
        for name, value in self.headers:
            shown = _SECRET_HEADER.sub(r"\1\2$TOKEN", value)
            parts.append(f'-H "{name}: {shown}"')
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
    """What came back.

    Attributes:
        status: None when no complete reply came.
        failure: Why none came, else None.
        latency_ms: From sending until the last byte, in milliseconds.
    """

    request: RawRequest
    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    failure: CallFailure | None = None
    latency_ms: float = 0.0

    def header(self, name: str) -> str | None:
        """Give the first header of this name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def __str__(self) -> str:
        """Say in a few words what came: the status, or why there is none."""
        return f"no answer ({self.failure})" if self.status is None else f"HTTP {self.status}"


async def send(
    session: aiohttp.ClientSession,
    request: RawRequest,
    *,
    timeout_ms: int = MAX_TIMEOUT_MS,
    clock: Callable[[], float] = time.perf_counter,
) -> RawResponse:
    """Send a request once, and again only when a kept-alive connection turned out to be closed.

    Every ending is an `Answer`; only cancellation gets out.
    """
    for _ in range(2):
        # A large body is a file, which the client sends in pieces without holding up the loop.
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
    """Send a request whose last bytes follow only when ``until`` returns; the answer may come before.

    Args:
        session: The client.
        request: Its whole body's length is announced.
        withheld_bytes: How many bytes of the body wait.
        until: Called when the others were sent.
        timeout_ms: For all of it.
        clock: Monotonic seconds.
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
        latency_ms=attempt.latency_ms,
    )

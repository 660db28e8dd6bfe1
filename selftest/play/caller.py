"""Send one callout as Entra does, under its timeout and with its retry.

The documented behavior is followed: ``POST`` with a bearer token and ``Content-Type: application/json``, 200 to 2000 ms
an attempt, at most one retry. No other header is documented, so only those that HTTP itself needs are added. Where the
documentation is silent, this module decides:

- The timeout covers everything from the moment the attempt is due to the last byte of the response, including the
  connection.
- A retry follows a timeout, or a connection that could not be opened or broke before a response began. It does not
  follow a response, whatever its status, not even an incomplete one. It is due at once, with the same bytes.
- Redirects are not followed, bodies are not decompressed, cookies are not kept: the judge sees what was sent.

Source: Microsoft Graph v1.0 ``customExtensionClientConfiguration``; entra-docs ``custom-claims-provider-reference.md``.
"""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import aiohttp
from yarl import URL

from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.judge.received_reply import CallFailure, ReceivedReply

#: A file is sent in pieces; the rest of an iterator is not sent after the response.
type RequestBody = bytes | BinaryIO | AsyncIterator[bytes] | None

#: 1 MiB. One byte more is kept if there is one, so that the judge can see that the body is larger.
MAX_BODY_BYTES: Final = 1024 * 1024

#: The largest accepted headers; longer ones are a protocol failure.
_MAX_HEADER_BYTES: Final = 64 * 1024

#: The failures that a retry follows.
RETRIED: Final[frozenset[CallFailure | None]] = frozenset({"timeout", "connection"})

#: The prefix of `Attempt.detail` if the endpoint's certificate is not trusted.
CERTIFICATE: Final = "certificate"

#: Headers that the client library must not add by itself: only those that are given are sent.
_NO_AUTOMATIC_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request and its result. Times are seconds on the caller's clock.

    Attributes:
        due_s: When the request was due. Latency counts from here, so that a late start is not hidden.
        sent_s: When the request was sent.
        headers_s: When the response headers were complete; None if they never were.
        end_s: When the last byte arrived, or when the attempt was given up.
        status: The response status, also if the body then did not arrive.
        headers: The response headers in their order.
        body: The response body as it was sent, at most ``MAX_BODY_BYTES`` and one byte.
        failure: ``timeout``: not complete in time. ``connection``: no connection, or it broke before a response.
            ``protocol``: the response is not HTTP, or is incomplete. None: a complete response, good or bad.
        detail: A description of the failure.
    """

    due_s: float
    sent_s: float
    headers_s: float | None
    end_s: float
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    failure: CallFailure | None
    detail: str

    @property
    def latency_ms(self) -> float:
        """Return the time from due to end, in milliseconds."""
        return (self.end_s - self.due_s) * 1000

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One callout: its attempts in order; the last one counts."""

    attempts: tuple[Attempt, ...]

    @property
    def reply(self) -> ReceivedReply:
        """Return the part of the last attempt that the judge needs."""
        last = self.attempts[-1]
        return ReceivedReply(
            status=last.status, content_type=last.header("Content-Type"), body=last.body, failure=last.failure
        )


def caller_session(trust: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
    """Return a session for callouts: no cookies, no proxy, as many connections as there are calls.

    The caller of this function closes it.

    Args:
        trust: The certificates that an https endpoint may have; None for those that the system trusts.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=True if trust is None else trust),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
    )


class Caller:
    """Entra's side of the callout.

    Args:
        session: From `caller_session`. Its owner closes it.
        clock: Monotonic seconds.
    """

    def __init__(self, session: aiohttp.ClientSession, clock: Callable[[], float] = time.perf_counter) -> None:
        self._session = session
        self._clock = clock

    async def call(
        self,
        url: str,
        *,
        token: str,
        event: Mapping[str, Any] | bytes,
        timeout_ms: int = MAX_TIMEOUT_MS,
        max_retries: int = MAX_RETRIES,
        due_s: float | None = None,
    ) -> Call:
        """Send the event until a response arrives or the retries are used up.

        Args:
            url: The URL of the endpoint, with its query if it has one.
            token: The bearer token.
            event: The request body; bytes are sent unchanged.
            timeout_ms: 200 to 2000, for each attempt.
            max_retries: 0 or 1.
            due_s: When the call is due on the caller's clock; None for now.

        Raises:
            ValueError: The timeout or the retries are outside Entra's limits, the URL is not an http(s) URL, or the
                token cannot be part of a header.
        """
        target = checked_url(url)
        headers = callout_headers(token)
        if not MIN_TIMEOUT_MS <= timeout_ms <= MAX_TIMEOUT_MS:
            raise ValueError(f"timeout_ms must be {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS}, got {timeout_ms}")
        if not 0 <= max_retries <= MAX_RETRIES:
            raise ValueError(f"max_retries must be 0 to {MAX_RETRIES}, got {max_retries}")
        body = event if isinstance(event, bytes) else encode_event(event)
        next_due_s = self._clock() if due_s is None else due_s
        attempts: list[Attempt] = []
        while True:
            exchange = Exchange(self._session, self._clock, next_due_s)
            attempt = await exchange.run(target, headers, body, timeout_ms / 1000)
            attempts.append(attempt)
            if attempt.failure not in RETRIED or len(attempts) > max_retries:
                return Call(attempts=tuple(attempts))
            next_due_s = attempt.end_s


def encode_event(event: Mapping[str, Any]) -> bytes:
    """Return an event as Entra sends it: compact JSON in UTF-8."""
    return json.dumps(dict(event), separators=(",", ":"), ensure_ascii=False).encode()


def callout_headers(token: str) -> dict[str, str]:
    """Return the documented headers of a callout, and no others.

    Raises:
        ValueError: The token cannot be part of a header.
    """
    if not (token.isascii() and token.isprintable()):
        raise ValueError("the token must be visible ASCII; a line break at its end is the usual mistake")
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def checked_url(text: str) -> URL:
    """Return the endpoint's URL without normalizing it.

    Raises:
        ValueError: The text is not an http or https URL with a host.
    """
    url = URL(text, encoded=True)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"expected an http or https URL with a host, got {text!r}")
    return url


class Exchange:
    """One attempt in progress: what has arrived so far survives a timeout.

    Args:
        session: From ``caller_session``.
        clock: Monotonic seconds.
        due_s: When the attempt is due on that clock; its timeout counts from here.
    """

    def __init__(self, session: aiohttp.ClientSession, clock: Callable[[], float], due_s: float) -> None:
        self._session = session
        self._clock = clock
        self._due_s = due_s
        self._headers_s: float | None = None
        self._status: int | None = None
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body = bytearray()

    async def run(
        self, url: URL, headers: Mapping[str, str], body: RequestBody, timeout_s: float, *, method: str = "POST"
    ) -> Attempt:
        """Send the request and wait for its end. No error but cancellation is raised."""
        sent_s = self._clock()
        failure: CallFailure | None = None
        detail = ""
        try:
            async with asyncio.timeout(max(0.0, self._due_s + timeout_s - sent_s)):
                await self._exchange(method, url, headers, body)
        except TimeoutError:
            failure, detail = "timeout", f"no complete response within {timeout_s * 1000:.0f} ms"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            began = self._status is not None or isinstance(error, aiohttp.ClientResponseError)
            failure, detail = "protocol" if began else "connection", _describe(error)
        end_s = self._clock()
        if failure is None and end_s - self._due_s > timeout_s:
            # The timer of a busy loop fires late; the clock decides.
            failure, detail = "timeout", f"the response took {(end_s - self._due_s) * 1000:.1f} ms"
        return Attempt(
            due_s=self._due_s,
            sent_s=sent_s,
            headers_s=self._headers_s,
            end_s=end_s,
            status=self._status,
            headers=self._headers,
            body=bytes(self._body),
            failure=failure,
            detail=detail,
        )

    async def _exchange(self, method: str, url: URL, headers: Mapping[str, str], body: RequestBody) -> None:
        async with self._session.request(
            method,
            url,
            data=body,
            headers=headers,
            skip_auto_headers=_NO_AUTOMATIC_HEADERS,
            allow_redirects=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
        ) as response:
            self._headers_s = self._clock()
            self._status = response.status
            self._headers = tuple(response.headers.items())
            async for chunk in response.content.iter_any():
                self._body += chunk[: MAX_BODY_BYTES + 1 - len(self._body)]
                if len(self._body) > MAX_BODY_BYTES:
                    response.close()
                    return
            if isinstance(body, AsyncIterator):
                # The body may be incomplete, so that the connection cannot be used again.
                response.close()


def _describe(error: Exception) -> str:
    """Return the error in one line. Neither its type nor its message contains the token."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{CERTIFICATE}: {_certificate_fault(error.certificate_error)}"
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")[:300]


def _certificate_fault(error: Exception) -> str:
    """Return why a certificate is not trusted, and what to do about one for tests."""
    reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
    way_on = "trust its authority for this run with --ca-file FILE; Entra needs one that is publicly trusted"
    return f"the endpoint's certificate is not trusted ({reason}); {way_on}"

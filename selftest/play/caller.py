"""The caller: sends one callout as Entra does, under its timeout and with its retry.

What is documented is kept to: ``POST`` with a bearer token and ``Content-Type: application/json``, 200 to 2000 ms an
attempt, at most one retry. No other header is documented, so none is sent but those that HTTP itself needs. What is not
documented is decided here and said:

- The timeout covers everything from the moment the attempt is due to the last byte of the answer, connecting included.
- A retry follows a timeout and a connection that could not be made or broke before an answer began. It follows no
  answer, whatever its status, and none that broke off midway. It is due at once, with the same bytes.
- Redirects are not followed, bodies are not decompressed, cookies are not kept: the judge sees what was sent.

Source: Microsoft Graph v1.0 ``customExtensionClientConfiguration``; entra-docs ``custom-claims-provider-reference.md``.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Literal

import aiohttp
from yarl import URL

from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.judge.verdict import Reply

type Failure = Literal["timeout", "connection", "protocol"]
#: A file is sent in pieces; the rest of an iterator is not sent after the response.
type RequestBody = bytes | BinaryIO | AsyncIterator[bytes] | None

#: 1 MiB. One byte more is kept where there is one, so that the judge sees that there was.
MAX_BODY_BYTES: Final = 1024 * 1024

#: A reply may carry headers of this size; what is longer is a broken answer.
_MAX_HEADER_BYTES: Final = 64 * 1024

#: The failures that a retry follows.
RETRIED: Final[frozenset[Failure | None]] = frozenset({"timeout", "connection"})

#: Headers that the client library would add by itself and Entra is not documented to send.
_UNDOCUMENTED_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request and what came of it. Times are seconds on the caller's clock.

    Attributes:
        due_s: When it had to start; latency counts from here, so that a late start is not hidden.
        sent_s: When it did start.
        headers_s: When the answer's headers were complete; None when they never were.
        end_s: When the last byte came, or when it was given up.
        status: The answer's status, also where the body then failed to come.
        headers: The answer's headers in their order.
        body: The answer's body as it was sent, at most ``MAX_BODY_BYTES`` and one byte.
        failure: ``timeout``: not complete in time. ``connection``: no connection, or it broke before an answer.
            ``protocol``: the answer is no HTTP, or broke off. None: an answer came, good or bad.
        detail: What the failure was, in words.
    """

    due_s: float
    sent_s: float
    headers_s: float | None
    end_s: float
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    failure: Failure | None
    detail: str

    @property
    def latency_ms(self) -> float:
        """Give the time from due to end, in milliseconds."""
        return (self.end_s - self.due_s) * 1000

    def header(self, name: str) -> str | None:
        """Give the first header of this name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One callout: its attempts in order; the last one counts."""

    attempts: tuple[Attempt, ...]

    @property
    def reply(self) -> Reply:
        """Give what the judge needs of the last attempt."""
        last = self.attempts[-1]
        return Reply(status=last.status, content_type=last.header("Content-Type"), body=last.body, failure=last.failure)


def caller_session() -> aiohttp.ClientSession:
    """Open the session that a caller needs: no cookies, no proxy, as many connections as there are calls.

    The caller of this function closes it.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
    )


class Caller:
    """Entra's side of the callout.

    Args:
        session: From ``caller_session``; it stays the owner's to close.
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
        """Send the event until an answer comes or the retries are used up.

        Args:
            url: The endpoint, with its query if it has one.
            token: The bearer token.
            event: The callout; bytes are sent as they are.
            timeout_ms: 200 to 2000, for each attempt.
            max_retries: 0 or 1.
            due_s: When the call is due on the caller's clock; now, when it is None.

        Raises:
            ValueError: When timeout or retries are outside what Entra can be set to, the URL is no http(s) URL, or the
                token could not stand in a header.
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
    """Write an event as Entra does: compact JSON in UTF-8."""
    return json.dumps(dict(event), separators=(",", ":"), ensure_ascii=False).encode()


def callout_headers(token: str) -> dict[str, str]:
    """Give the headers of a callout: those that are documented, and no other.

    Raises:
        ValueError: The token could not stand in a header.
    """
    if not (token.isascii() and token.isprintable()):
        raise ValueError("the token must be visible ASCII; a line break at its end is the usual mistake")
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def checked_url(text: str) -> URL:
    """Read the endpoint's URL, leaving it as it is written.

    Raises:
        ValueError: It is no http or https URL with a host.
    """
    url = URL(text, encoded=True)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"expected an http or https URL with a host, got {text!r}")
    return url


class Exchange:
    """One attempt while it is under way: what has come so far survives a timeout.

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
        """Send it and wait for the end, whichever it is; only cancellation gets out."""
        sent_s = self._clock()
        failure: Failure | None = None
        detail = ""
        try:
            async with asyncio.timeout(max(0.0, self._due_s + timeout_s - sent_s)):
                await self._exchange(method, url, headers, body)
        except TimeoutError:
            failure, detail = "timeout", f"no complete answer within {timeout_s * 1000:.0f} ms"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            began = self._status is not None or isinstance(error, aiohttp.ClientResponseError)
            failure, detail = "protocol" if began else "connection", _describe(error)
        end_s = self._clock()
        if failure is None and end_s - self._due_s > timeout_s:
            # The timer of a busy loop fires late; the clock decides.
            failure, detail = "timeout", f"the answer took {(end_s - self._due_s) * 1000:.1f} ms"
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
            skip_auto_headers=_UNDOCUMENTED_HEADERS,
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
    """Say what broke, in one line; neither type nor message of these errors holds the token."""
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")[:300]

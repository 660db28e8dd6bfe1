"""A bounded GET, for the documents that token validation depends on and for what a provider asks.

httpcore follows no redirect, keeps no cookie and reads no proxy from the environment, which is wanted here: the answer
comes from the requested host, or the fetch fails. Nothing runs in the loop's default executor, which sign-ins that
block can fill.
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpcore2

from claims.wire.own_thread import in_own_thread
from claims.wire.resolver import OwnThreadResolver

#: A large JWK set with certificates, 1000 keys long, is about 2 MB.
MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024

#: Reads a URL and returns its body. Whatever it raises means that the document is not available.
type Get = Callable[[str], Awaitable[bytes]]

_OK: Final = 200
_HEADERS: Final = [("accept", "application/json"), ("accept-encoding", "identity")]


class FetchError(Exception):
    """The document is not available; the message says why, in one line."""


class AnswerTooLarge(FetchError):
    """The body is larger than the limit."""


class ConnectionLost(FetchError):
    """The connection broke before the answer began, as one does that the server had closed while it was idle."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer: any status, and the body within the limit."""

    status: int
    body: bytes


class HttpGet:
    """Fetches documents over one small connection pool, made on first use and again where the loop is another one.

    The caller limits the time (`asyncio.timeout`), from the connection to the last byte.

    Args:
        max_bytes: Of a body.
        max_connections: At once; further requests wait for one.
        idle_s: How long an unused connection is kept, in seconds.
        stall_s: How long a server may send nothing at all, in seconds; None leaves that to the caller.
    """

    def __init__(
        self,
        max_bytes: int = MAX_DOCUMENT_BYTES,
        *,
        max_connections: int = 8,
        idle_s: float = 5,
        stall_s: float | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_connections = max_connections
        self._idle_s = idle_s
        self._extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), stall_s)}
        self._context: ssl.SSLContext | None = None
        self._making_context = threading.Lock()
        #: A pool is of use on its own loop only.
        self._pool: tuple[asyncio.AbstractEventLoop, httpcore2.AsyncConnectionPool] | None = None

    async def __call__(self, url: str) -> bytes:
        """Fetch one document.

        Raises:
            FetchError: No connection, a status other than 200, or a body that is too large.
        """
        answer = await self.answer(url)
        if answer.status != _OK:
            raise FetchError(f"status {answer.status}")
        return answer.body

    async def answer(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Answer:
        """Fetch a URL and return the server's answer, whatever its status.

        Raises:
            ConnectionLost: It broke before the answer began; a GET may be sent again (RFC 9110 section 9.2.2).
            AnswerTooLarge: More than ``max_bytes``.
            FetchError: No connection, or it broke or stalled midway.
        """
        began = False
        try:
            pool = await self.open()
            async with pool.stream("GET", url, headers=[*_HEADERS, *headers], extensions=self._extensions) as response:
                began = True
                body = bytearray()
                async for chunk in response.aiter_stream():
                    body += chunk
                    if len(body) > self._max_bytes:
                        raise AnswerTooLarge(f"more than {self._max_bytes} bytes")
                return Answer(response.status, bytes(body))
        except (httpcore2.ReadError, httpcore2.WriteError, httpcore2.RemoteProtocolError) as error:
            raise (FetchError if began else ConnectionLost)(type(error).__name__) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError) as error:
            raise FetchError(type(error).__name__) from error

    async def aclose(self) -> None:
        """Close the connections."""
        pool, self._pool = self._pool, None
        if pool is not None and pool[0] is asyncio.get_running_loop():
            await pool[1].aclose()

    async def open(self) -> httpcore2.AsyncConnectionPool:
        """Return this loop's pool; create it on first use.

        Connections of another loop are left to the garbage collector: they cannot be closed from this one.
        """
        loop = asyncio.get_running_loop()
        # Reading the system's certificates takes tens of milliseconds.
        context = self._context or await in_own_thread(self._make_context)
        made = self._pool
        if made is not None and made[0] is loop:
            return made[1]
        pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=self._max_connections,
            keepalive_expiry=self._idle_s,
            network_backend=OwnThreadResolver(),
        )
        self._pool = loop, pool
        return pool

    def _make_context(self) -> ssl.SSLContext:
        with self._making_context:
            if self._context is None:
                self._context = ssl.create_default_context()
            return self._context

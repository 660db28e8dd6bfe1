"""A bounded GET, for the documents that token validation rests on and for what a provider asks.

httpcore follows no redirect, keeps no cookie and reads no proxy from the environment, which is just what is wanted
here: the answer comes from the host that was asked, or not at all.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpcore2

#: A large JWK set with certificates, 1000 keys long, is about 2 MB.
MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024

#: Reads a URL and returns its body. What it raises means that the document could not be had.
type Get = Callable[[str], Awaitable[bytes]]

_OK: Final = 200
_HEADERS: Final = [("accept", "application/json"), ("accept-encoding", "identity")]


class FetchError(Exception):
    """The document could not be had; the message says why, in one line."""


class AnswerTooLarge(FetchError):
    """There is more of it than the cap allows."""


class ConnectionLost(FetchError):
    """The connection broke before the answer began, as one does that the server had closed while it was idle."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: any status, and the body within the cap."""

    status: int
    body: bytes


class HttpGet:
    """Fetches documents over one small connection pool, made on first use.

    The time is the caller's to bound (`asyncio.timeout`): it counts from the connection to the last byte.

    Args:
        max_bytes: of a body.
        max_connections: at once; further requests wait for one.
        idle_s: how long an unused connection is kept.
        stall_s: how long a server may say nothing at all; None leaves that to the caller.
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
        self._pool: httpcore2.AsyncConnectionPool | None = None
        self._opening = asyncio.Lock()

    async def __call__(self, url: str) -> bytes:
        """Fetch one document.

        Raises:
            FetchError: no connection, a status other than 200, an encoded or an oversized body.
        """
        answer = await self.answer(url)
        if answer.status != _OK:
            raise FetchError(f"status {answer.status}")
        return answer.body

    async def answer(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Answer:
        """Fetch whatever the server says.

        Args:
            url: in ASCII.
            headers: beside those that ask for plain JSON.

        Raises:
            ConnectionLost: it broke before the answer began; a GET may be sent again (RFC 9110 section 9.2.2).
            AnswerTooLarge: more than ``max_bytes``.
            FetchError: no connection, or it broke or stalled midway.
        """
        pool = self._pool or await self.open()
        began = False
        try:
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
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
            OSError,
        ) as error:
            raise FetchError(type(error).__name__) from error

    async def aclose(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None

    async def open(self) -> httpcore2.AsyncConnectionPool:
        """Make the pool, unless it is made."""
        async with self._opening:
            if self._pool is None:
                # Reading the system's certificates takes tens of milliseconds: off the loop.
                context = await asyncio.to_thread(ssl.create_default_context)
                self._pool = httpcore2.AsyncConnectionPool(
                    ssl_context=context, max_connections=self._max_connections, keepalive_expiry=self._idle_s
                )
            return self._pool

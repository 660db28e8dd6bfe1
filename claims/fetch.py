"""A bounded GET, for the documents that token validation rests on.

httpcore follows no redirect, keeps no cookie and reads no proxy from the environment, which is just what is wanted
here: the document comes from the host that was asked, or not at all.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
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


class HttpGet:
    """Fetches documents over one small connection pool, made on first use.

    The time is the caller's to bound (`asyncio.timeout`): it counts from the connection to the last byte.
    """

    def __init__(self, max_bytes: int = MAX_DOCUMENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._pool: httpcore2.AsyncConnectionPool | None = None
        self._opening = asyncio.Lock()

    async def __call__(self, url: str) -> bytes:
        """Fetch one document.

        Raises:
            FetchError: no connection, a status other than 200, an encoded or an oversized body.
        """
        pool = self._pool or await self._open()
        try:
            async with pool.stream("GET", url, headers=_HEADERS) as response:
                if response.status != _OK:
                    raise FetchError(f"status {response.status}")
                body = bytearray()
                async for chunk in response.aiter_stream():
                    body += chunk
                    if len(body) > self._max_bytes:
                        raise FetchError(f"more than {self._max_bytes} bytes")
                return bytes(body)
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

    async def _open(self) -> httpcore2.AsyncConnectionPool:
        async with self._opening:
            if self._pool is None:
                # Reading the system's certificates takes tens of milliseconds: off the loop.
                context = await asyncio.to_thread(ssl.create_default_context)
                self._pool = httpcore2.AsyncConnectionPool(ssl_context=context, max_connections=8, keepalive_expiry=5)
            return self._pool

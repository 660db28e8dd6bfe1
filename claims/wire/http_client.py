"""A bounded GET for what providers call at each sign-in: aiohttp, over connections that stay open.

Its parser is native, so a call costs a fifth of the processor time of one with a client that parses in Python. It
follows no redirect, keeps no cookie and reads no proxy from the environment. Nothing runs in the loop's default
executor, which sign-ins that block can fill. A GET whose kept connection breaks before the answer begins is sent once
more, by aiohttp (RFC 9110 section 9.2.2).

Importing this module takes more than 100 ms and reads the system's certificates, so import it in a thread.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from claims.wire.fetch import AnswerTooLarge, FetchError
from claims.wire.own_thread import ATTEMPT_S, resolve

#: More than 50 requests per second need if each call takes the whole budget.
_MAX_CONNECTIONS: Final = 100
#: Azure's front ends drop an idle connection after four minutes at the earliest.
_IDLE_S: Final = 120.0

#: An own user agent costs less than none: aiohttp would have to take its own out of each request.
_HEADERS: Final = (
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
    ("user-agent", "custom-claims-endpoint"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer: any status, and the body within the limit."""

    status: int
    body: bytes


def open_session(headers: Sequence[tuple[str, str]] = ()) -> ClientSession:
    """Return a session for the running loop, which sends these headers with each request.

    The caller limits the time of a call (`asyncio.timeout`), from the connection to the last byte.
    """
    return ClientSession(
        connector=TCPConnector(
            resolver=_OwnThreadResolver(),
            limit=_MAX_CONNECTIONS,
            keepalive_timeout=_IDLE_S,
            happy_eyeballs_delay=ATTEMPT_S,
        ),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
        headers=headers,
        auto_decompress=False,
    )


class HttpClient:
    """Calls the APIs of one provider, on the loop on which it is created.

    Args:
        max_bytes: Of a body.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._session = open_session(_HEADERS)

    async def get(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Answer:
        """Fetch a URL and return the server's answer, whatever its status.

        Raises:
            AnswerTooLarge: More than ``max_bytes``.
            FetchError: No connection, or it broke or stalled.
        """
        try:
            # Encoded: byte for byte what the caller wrote.
            async with self._session.get(URL(url, encoded=True), headers=headers, allow_redirects=False) as response:
                body = bytearray()
                while not response.content.at_eof():
                    body += await response.content.readany()
                    if len(body) > self._max_bytes:
                        raise AnswerTooLarge(f"more than {self._max_bytes} bytes")
                return Answer(response.status, bytes(body))
        except (ClientError, OSError, ValueError) as error:
            raise FetchError(type(error).__name__) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()


class _OwnThreadResolver(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host."""
        del family  # of every kind: aiohttp asks for no other
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await resolve(host, port)
        ]

    async def close(self) -> None:
        """Close nothing: a lookup that goes on ends by itself."""

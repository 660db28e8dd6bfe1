"""A bounded GET for the few documents that token validation depends on, and for the app's own identity.

Every cold start waits for them, so this imports nothing that the endpoint does not need anyway: `http.client`, in a
thread for each document. It follows no redirect, keeps no cookie and reads no proxy from the environment, which is
wanted here: the answer comes from the requested host, or the fetch fails. `claims.wire.http_client` is for what
providers call at each sign-in.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, IncompleteRead
from typing import Final
from urllib.parse import SplitResult, urlsplit

from claims.wire.own_thread import ATTEMPT_S, in_own_thread, resolve

#: A large JWK set with certificates, 1000 keys long, is about 2 MB.
MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024

#: Reads a URL and returns its body. Whatever it raises means that the document is not available.
type Get = Callable[[str], Awaitable[bytes]]

_OK: Final = 200
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
#: For one step on the network; the caller gives up earlier.
_STALL_S: Final = 10.0


class FetchError(Exception):
    """The document is not available; the message says why, in one line.

    Attributes:
        retry_after: The server's ``Retry-After``, as it came; empty if it sent none.
    """

    def __init__(self, message: str, *, retry_after: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AnswerTooLarge(FetchError):
    """The body is larger than the limit."""


class HttpGet:
    """Fetches documents, each over its own connection, on any event loop.

    The caller limits the time (`asyncio.timeout`), from the lookup of the host to the last byte.

    Args:
        max_bytes: Of a body.
    """

    def __init__(self, max_bytes: int = MAX_DOCUMENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._context: ssl.SSLContext | None = None
        self._making_context = threading.Lock()

    async def __call__(self, url: str, headers: Mapping[str, str] | None = None) -> bytes:
        """Fetch one document.

        Args:
            url: http or https.
            headers: In addition to Host, Accept, Accept-Encoding and Connection.

        Raises:
            FetchError: No connection, a status other than 200, or a body that is too large.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]
            connection = _Connection(await resolve(host, port), host, port)
            try:
                return await in_own_thread(self._fetch, connection, parts, headers or {})
            except asyncio.CancelledError:
                connection.give_up()
                raise
        except (HTTPException, OSError) as error:
            raise FetchError(type(error).__name__) from error

    def _fetch(self, connection: "_Connection", parts: SplitResult, headers: Mapping[str, str]) -> bytes:
        context = None if parts.scheme == "http" else self._tls_context()
        with contextlib.closing(connection.open(context)) as exchange:
            return _read_document(exchange, parts, headers, self._max_bytes)

    def _tls_context(self) -> ssl.SSLContext:
        with self._making_context:
            # Reading the system's certificates takes tens of milliseconds.
            if self._context is None:
                self._context = ssl.create_default_context()
            return self._context


class _Connection:
    """A connection that one thread makes and uses, and that the loop can end.

    Args:
        addresses: Of the host, in the order in which to try them.
        host: As the server's certificate names it.
        port: Of every address.
    """

    def __init__(self, addresses: Sequence[str], host: str, port: int) -> None:
        self._addresses = addresses
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._given_up = False

    def give_up(self) -> None:
        """End what the thread waits for, so that a host that hangs or dawdles keeps no thread."""
        self._given_up = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # an SSLSocket's would end TLS first

    def open(self, context: ssl.SSLContext | None) -> HTTPConnection:
        """Connect, with TLS unless there is no context."""
        connected = self._hold(self._connect())
        try:
            if context is not None:
                # The handshake waits for the server, so it starts only when `give_up` could end it.
                wrapped = context.wrap_socket(connected, server_hostname=self._host, do_handshake_on_connect=False)
                connected = self._hold(wrapped)
                wrapped.do_handshake()
        except BaseException:
            connected.close()
            raise
        exchange = HTTPConnection(self._host, self._port)
        exchange.sock = connected
        return exchange

    def _connect(self) -> socket.socket:
        """Connect to the addresses in order, until one accepts."""
        *others, last = self._addresses
        for address in others:
            with contextlib.suppress(OSError):
                return socket.create_connection((address, self._port), ATTEMPT_S)
        return socket.create_connection((last, self._port), _STALL_S)

    def _hold[S: socket.socket](self, connected: S) -> S:
        connected.settimeout(_STALL_S)
        self._socket = connected
        if self._given_up:
            connected.close()
            raise ConnectionAbortedError
        return connected


def _read_document(exchange: HTTPConnection, parts: SplitResult, headers: Mapping[str, str], max_bytes: int) -> bytes:
    target = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()
    exchange.request("GET", target, headers={"Host": parts.netloc, **_HEADERS, **headers})
    with exchange.getresponse() as response:
        if response.status != _OK:
            raise FetchError(f"status {response.status}", retry_after=response.headers.get("Retry-After", ""))
        body = response.read(max_bytes + 1)
        if len(body) > max_bytes:
            raise AnswerTooLarge(f"more than {max_bytes} bytes")
        if response.length:
            raise IncompleteRead(body, response.length)
        return body

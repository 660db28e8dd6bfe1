"""Sends replies and refusals over a connection, as the Functions host's edge does."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Final

import h11

from selftest.host.replies import HttpReply, empty

_KEEP_ALIVE_S: Final = 130.0
#: How long a client that is refused may go on sending: closed earlier, the connection would lose the response.
_LINGER_S: Final = 1.0
_CHUNK_BYTES: Final = 65_536
_PHRASES: Final[Mapping[int, str]] = {status.value: status.phrase for status in HTTPStatus}
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection"})
#: Where h11 would answer another status than Kestrel: an unknown transfer coding.
_STATUS_OF_KESTREL: Final[Mapping[int, int]] = {501: 400}


async def send(connection: h11.Connection, reply: HttpReply, writer: StreamWriter, *, method: bytes) -> None:
    """Send a reply to a request with this method."""
    framing = tuple(pair for pair in reply.headers if pair[0].lower() in _FRAMING)
    head = connection.send(_response(reply.status, framing)) or b""
    # The other headers were checked when the reply was made, so h11 need not check them again.
    others = "".join(f"{name}: {value}\r\n" for name, value in reply.headers if name.lower() not in _FRAMING)
    data = head.removesuffix(b"\r\n") + others.encode() + b"\r\n"
    # A function may send any number as its status; h11 takes those of responses.
    if not _is_known(reply.status):
        data = data.replace(b"HTTP/1.1 200 ", b"HTTP/1.1 %d " % reply.status, 1)
    if reply.body and method != b"HEAD" and reply.status not in {204, 304}:
        data += connection.send(h11.Data(data=reply.body)) or b""
    data += connection.send(h11.EndOfMessage()) or b""
    writer.write(data)
    await writer.drain()


@lru_cache(maxsize=64)
def _response(status: int, framing: tuple[tuple[str, str], ...]) -> h11.Response:
    """Return the status line with the headers that say where the message ends: the same few again and again."""
    reason = _PHRASES.get(status, "").encode()
    return h11.Response(status_code=status if _is_known(status) else 200, headers=list(framing), reason=reason)


def _is_known(status: int) -> bool:
    return 200 <= status <= 999


async def send_as_given(reply: HttpReply, reader: StreamReader, writer: StreamWriter) -> None:
    """Send the framing that the function chose; without an end, for as long as the client waits for one."""
    head = f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, '')}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
    writer.write(head.encode() + b"\r\n" + reply.body)
    await writer.drain()
    if "transfer-encoding" in {name.lower() for name, _ in reply.headers}:
        async with asyncio.timeout(_KEEP_ALIVE_S):
            while await reader.read(_CHUNK_BYTES):
                pass


async def refuse(status: int, reader: StreamReader, writer: StreamWriter) -> None:
    """Answer what is not HTTP as Kestrel does, and read on for a moment."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    connection.next_event()
    await send(connection, empty(_STATUS_OF_KESTREL.get(status, status)), writer, method=b"GET")
    await linger(reader, writer)


async def linger(reader: StreamReader, writer: StreamWriter) -> None:
    """Close the sending side, and read on for a moment."""
    writer.write_eof()
    async with asyncio.timeout(_LINGER_S):
        while await reader.read(_CHUNK_BYTES):
            pass

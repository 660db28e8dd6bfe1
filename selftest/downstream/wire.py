"""What no polite HTTP server does to a connection: resets, answers byte by byte, answers that break off.

Each takes the connection of a request that aiohttp has read and writes to it directly. The connection is over then, so
that aiohttp, which finds it closed, adds nothing.
"""

import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

#: Between two bytes: an answer of 100 bytes takes ten seconds.
TRICKLE_S: Final = 0.1


def reset(request: web.Request) -> web.Response:
    """Break the connection with a TCP reset, unanswered."""
    if (transport := request.transport) is None:
        return web.Response()  # the other side has left already
    sock: socket.socket = transport.get_extra_info("socket")
    # Linger for no time at all: the kernel sends a reset instead of an orderly end.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return web.Response()


async def trickle(request: web.Request, body: bytes, sleep: Callable[[float], Awaitable[None]]) -> web.Response:
    """Answer a byte at a time until the other side has had enough."""
    if (transport := request.transport) is None:
        return web.Response()  # the other side has left already
    transport.write(_head(len(body)))
    for offset in range(len(body)):
        await sleep(TRICKLE_S)
        if transport.is_closing():
            break
        transport.write(body[offset : offset + 1])
    transport.close()
    return web.Response()


def truncate(request: web.Request, body: bytes) -> web.Response:
    """Promise the whole body, send half of it, and close."""
    if (transport := request.transport) is None:
        return web.Response()  # the other side has left already
    transport.write(_head(len(body)) + body[: len(body) // 2])
    transport.close()
    return web.Response()


def _head(length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()

"""Faulty HTTP responses that aiohttp cannot send: TCP resets, responses byte by byte, truncated responses.

Each function writes directly to the connection of a request that aiohttp has read, and closes it, so that aiohttp adds
nothing.
"""

import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

#: The time between two bytes: a response of 100 bytes takes ten seconds.
TRICKLE_S: Final = 0.1


def reset(request: web.Request) -> web.Response:
    """Reset the TCP connection without a response."""
    if (transport := request.transport) is None:
        return web.Response()  # the client has disconnected
    sock: socket.socket = transport.get_extra_info("socket")
    # With a linger time of zero the kernel sends a reset instead of closing the connection normally.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return web.Response()


async def trickle(request: web.Request, body: bytes, sleep: Callable[[float], Awaitable[None]]) -> web.Response:
    """Send the response byte by byte until the client closes the connection."""
    if (transport := request.transport) is None:
        return web.Response()  # the client has disconnected
    transport.write(_head(len(body)))
    for offset in range(len(body)):
        await sleep(TRICKLE_S)
        if transport.is_closing():
            break
        transport.write(body[offset : offset + 1])
    transport.close()
    return web.Response()


def truncate(request: web.Request, body: bytes) -> web.Response:
    """Announce the whole body, send half of it, and close the connection."""
    if (transport := request.transport) is None:
        return web.Response()  # the client has disconnected
    transport.write(_head(len(body)) + body[: len(body) // 2])
    transport.close()
    return web.Response()


def _head(length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()

"""One raw request and what a host makes of it: as much of the answer as tells two hosts apart."""

import asyncio
import contextlib
import re
from asyncio import StreamReader
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

#: Headers that tell hosts apart; Date has another value every time.
_COMPARED: Final = (
    "connection",
    "content-length",
    "content-type",
    "server",
    "transfer-encoding",
    "www-authenticate",
    "x-custom",
    "x-given",
)
#: Of an answer, and of a connection that is kept, in seconds.
_ANSWER_S: Final = 12.0
_KEPT_S: Final = 0.3
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d+)")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client sees.

    Attributes:
        status: Of the answer; empty without one.
        headers: Those that are compared.
        body: Without its framing, as Latin-1.
        end: ``kept`` or ``closed`` after a whole answer; ``cut``, ``endless`` or ``none`` otherwise.
    """

    status: str
    headers: tuple[tuple[str, str], ...]
    body: str
    end: str


async def exchange(url: str, request: bytes, *, wait_s: float = _ANSWER_S) -> Seen:
    """Send bytes on a connection of their own and return what comes back."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        async with asyncio.timeout(wait_s):
            return await _read(reader)
    except (ConnectionError, TimeoutError):
        return Seen("", (), "", "none")
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _read(reader: StreamReader) -> Seen:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return Seen("", (), error.partial.decode("latin-1"), "none")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = dict(pairs)
    body, end = await _body(reader, headers)
    compared = tuple((name, value) for name, value in sorted(pairs) if name in _COMPARED)
    if headers.get("content-type") == "text/html" and body.startswith(b"<!DOCTYPE html>"):
        # The host's own page: that it is one counts, and not what it says.
        body, compared = b"a page", tuple(pair for pair in compared if pair[0] != "content-length")
    return Seen(first.split(" ")[1], compared, body.decode("latin-1"), end or await _connection(reader))


async def _body(reader: StreamReader, headers: dict[str, str]) -> tuple[bytes, str]:
    """Return the body, and how it ended where that was not as announced."""
    body = b""
    try:
        if "transfer-encoding" in headers:
            while True:
                async with asyncio.timeout(_KEPT_S * 3):
                    size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
                    chunk = await reader.readexactly(size + 2)
                body += chunk[:-2]
                if not size:
                    return body, ""
        if "content-length" not in headers and headers.get("connection") == "close":
            return await reader.read(-1), "closed"
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except asyncio.IncompleteReadError as error:
        return error.partial, "cut"
    except (TimeoutError, ValueError):
        return body, "endless"
    return body, ""


async def _connection(reader: StreamReader) -> str:
    try:
        async with asyncio.timeout(_KEPT_S):
            return "closed" if not await reader.read(1) else "kept, with more"
    except TimeoutError:
        return "kept"
    except ConnectionError:
        return "closed"

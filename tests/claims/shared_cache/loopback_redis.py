"""A server that speaks as much of Redis's protocol as the endpoint uses, and breaks on demand.

Source: Redis serialization protocol specification (RESP2); commands ``AUTH``, ``PING``, ``SET``, ``GETRANGE``.
"""

import asyncio
import ssl
import time
from collections import Counter
from typing import Self


class LoopbackRedis:
    """Listens on 127.0.0.1 while its block runs.

    Attributes:
        values: By key, with the end of each on the monotonic clock.
        password: What ``AUTH`` must say; None wants none, and refuses it.
        error: What every command but ``AUTH`` is answered with.
        silent: Whether it reads and answers nothing.
        commands: How often each came.
        users: Who authenticated.
        port: Where it listens.
    """

    def __init__(self, *, password: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.values: dict[bytes, tuple[bytes, float]] = {}
        self.password = password
        self.error = ""
        self.silent = False
        self.commands: Counter[str] = Counter()
        self.users: list[tuple[str, ...]] = []
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Close every connection, as a server does with idle ones."""
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        authenticated = self.password is None
        try:
            while True:
                words = await _command(reader)
                name = words[0].decode().upper()
                self.commands[name] += 1
                if self.silent:
                    continue
                if name == "AUTH":
                    self.users.append(tuple(word.decode() for word in words[1:]))
                    authenticated = words[-1].decode() == self.password
                    answer = b"+OK\r\n" if authenticated else b"-WRONGPASS invalid password\r\n"
                else:
                    answer = self._answer(name, words[1:]) if authenticated else b"-NOAUTH Authentication required.\r\n"
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, name: str, words: list[bytes]) -> bytes:
        if self.error:
            return f"-{self.error}\r\n".encode()
        if name == "SET":
            key, value, _, ttl_ms = words
            self.values[key] = value, time.monotonic() + int(ttl_ms) / 1000
            return b"+OK\r\n"
        if name == "GETRANGE":
            value, end_s = self.values.get(words[0], (b"", 0.0))
            part = value[int(words[1]) : int(words[2]) + 1] if time.monotonic() < end_s else b""
            return b"$%d\r\n%b\r\n" % (len(part), part)
        return b"+PONG\r\n" if name == "PING" else b"+OK\r\n"


async def _command(reader: asyncio.StreamReader) -> list[bytes]:
    count = int((await reader.readuntil(b"\r\n"))[1:])
    words = []
    for _ in range(count):
        length = int((await reader.readuntil(b"\r\n"))[1:])
        words.append((await reader.readexactly(length + 2))[:-2])
    return words

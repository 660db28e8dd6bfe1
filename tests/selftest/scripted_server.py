"""A TCP server that does to each connection what a test says: answers, silence, resets, nonsense."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from claims.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE

type Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(kw_only=True)
class ScriptedServer:
    """Where it listens, and the requests that came, byte for byte."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)


@contextlib.asynccontextmanager
async def scripted_server(scripts: Sequence[Script]) -> AsyncIterator[ScriptedServer]:
    """Serve the n-th connection with the n-th script, and every later one with the last."""
    seen = ScriptedServer()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        script = scripts[min(len(tasks), len(scripts)) - 1]
        try:
            seen.requests.append(await _request(reader))
            await script(writer)
            writer.close()
            await writer.wait_closed()
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            # The test is over, or the caller has left.
            pass
        finally:
            # What is still unsent goes nowhere any more; after an orderly end this does nothing.
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/onTokenIssuanceStart"
    try:
        yield seen
    finally:
        # A connection that is being accepted this very moment must have its transport before the server closes:
        # asyncio drops it unclosed otherwise.
        for _ in range(3):
            await asyncio.sleep(0)
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.abort_clients()
        await server.wait_closed()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    return head + await reader.readexactly(length)


def answer(
    status: str = "200 OK", body: bytes = b"{}", *headers: str, content_type: str = "application/json"
) -> Script:
    """Answer at once, and close."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return raw(("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode() + body)


def claims_reply(claims: dict[str, object]) -> Script:
    """Answer as a good endpoint does."""
    action = {"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": claims}
    return answer(body=json.dumps({"data": {"@odata.type": RESPONSE_DATA_TYPE, "actions": [action]}}).encode())


def raw(data: bytes) -> Script:
    """Send these bytes, and close."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return script


def silence(first: bytes = b"") -> Script:
    """Send these bytes, then nothing for as long as the test lasts."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        await asyncio.Event().wait()

    return script


def reset(first: bytes = b"") -> Script:
    """Send these bytes, then break the connection with a TCP reset."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        if first:
            # A reset discards what the other side has not read yet: let it read.
            await asyncio.sleep(0.02)
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return script

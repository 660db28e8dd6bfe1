"""An API at a known distance: a profile for each user, and the managed identity whose token it wants.

``python -m benchmarks.downstream MILLISECONDS`` serves it in a process of its own. It does next to nothing, so that it
is never what limits a peer, and answers nobody who does not send the token.
"""

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from selftest.downstream.server import SCOPE

#: As long as a token of Entra for an application.
_TOKEN: Final = secrets.token_urlsafe(1200)
_TOKEN_LIFE_S: Final = 86_400
_ROOT: Final = Path(__file__).parents[1]


@asynccontextmanager
async def downstream(away_ms: float) -> AsyncIterator[Mapping[str, str]]:
    """Serve it, and yield the settings with which an endpoint calls it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.downstream", str(away_ms)),
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None  # noqa: S101 (a pipe, which the types do not know)
        url = f"http://127.0.0.1:{int(await process.stdout.readline())}"
        yield {
            "Claims__Provider": "profile_api",
            "Claims__ProfileApi__Url": f"{url}/profile",
            "Claims__ProfileApi__Scope": SCOPE,
            "Claims__Credential": "managed-identity",
            "IDENTITY_ENDPOINT": f"{url}/msi/token",
            "IDENTITY_HEADER": "benchmark",
        }
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


class _Api(asyncio.Protocol):
    def __init__(self, away_s: float) -> None:
        self._away_s = away_s
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what a TCP connection has)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request when its head is complete: a GET has no body."""
        head, end, rest = (self._buffer + data).partition(b"\r\n\r\n")
        if not end:
            self._buffer += data
            return
        self._buffer = rest
        asyncio.get_running_loop().call_later(self._away_s, self._send, _answer(head))

    def _send(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _answer(head: bytes) -> bytes:
    path = head.split(b" ", 2)[1].decode()
    if path.startswith("/msi/"):
        expires_on = str(int(time.time()) + _TOKEN_LIFE_S)
        token = {"access_token": _TOKEN, "expires_on": expires_on, "token_type": "Bearer", "resource": "api://profile"}
        return _response("200 OK", token)
    if f"Bearer {_TOKEN}\r\n".encode() not in head + b"\r\n":
        return _response("401 Unauthorized", {})
    user = path.rpartition("/")[2]
    profile = {"ProfileId": user, "CustomRoles": ["Reader", "Seller"], "ProfileVersion": "1"}
    return _response("200 OK", profile)


def _response(status: str, document: Mapping[str, Any]) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _serve(away_s: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Api(away_s), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000))

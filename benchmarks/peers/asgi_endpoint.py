"""The endpoint behind any ASGI server: what `function_app.py` is for Azure, sixty lines long.

Azure's host limits the size of a body; an ASGI server has no such limit, so this adapter has. It never holds more than
the endpoint takes and one piece, and hands a larger body over cut, one byte too long: the endpoint answers in its own
order, 401 to a caller whom it does not know and 413 to others.

Source: ASGI specification, "HTTP & WebSocket ASGI Message Format".
"""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from claims.endpoint import Endpoint, Response
from claims.event import MAX_BODY_BYTES

type _Message = MutableMapping[str, Any]
type _Receive = Callable[[], Awaitable[_Message]]
type _Send = Callable[[_Message], Awaitable[None]]

#: Lines wait for so many seconds at most.
_PAUSE_S: Final = 0.05


class _Batches(logging.Handler):
    """Writes several lines at once: each write is a system call. Azure's worker, too, hands its lines to a queue."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line for the next write."""
        if not self._lines:
            asyncio.get_running_loop().call_later(_PAUSE_S, self.flush)
        self._lines.append(self.format(record))

    def flush(self) -> None:
        """Write what waits."""
        lines, self._lines = self._lines, []
        sys.stderr.write("".join(f"{line}\n" for line in lines))


# The endpoint's line of each request is part of its work: it is written here too.
logging.getLogger("claims").addHandler(_Batches())
logging.getLogger("claims").setLevel(logging.INFO)
endpoint: Final = Endpoint.from_env(os.environ, on_settled=gc.freeze)


async def app(scope: _Message, receive: _Receive, send: _Send) -> None:
    """Answer one request, or the server's start and end."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    body = await _body(headers, receive)
    match scope["method"], scope["path"]:
        case "POST", "/api/onTokenIssuanceStart":
            response = await endpoint.token_issuance_start(headers, body)
        case "GET", "/api/health":
            response = await endpoint.health(headers)
        case _:
            response = Response(404, b"", {})
    sent = [(name.encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    sent.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": sent})
    await send({"type": "http.response.body", "body": response.body})


async def _body(headers: Mapping[str, str], receive: _Receive) -> bytes:
    """Return the body, or one byte more than the endpoint takes where it is, or is announced as, larger."""
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        return bytes(MAX_BODY_BYTES + 1)
    body = bytearray()
    more = True
    while more and len(body) <= MAX_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body[: MAX_BODY_BYTES + 1])


async def _lifespan(receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            await endpoint.aclose()
            return

"""The endpoint behind any ASGI server: what `function_app.py` is for Azure, thirty lines long.

Source: ASGI specification, "HTTP & WebSocket ASGI Message Format".
"""

import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from claims.endpoint import Endpoint, Response

type _Message = MutableMapping[str, Any]
type _Receive = Callable[[], Awaitable[_Message]]
type _Send = Callable[[_Message], Awaitable[None]]

# The endpoint's line of each request is part of its work: it is written here too.
logging.basicConfig(level=logging.INFO, format="%(message)s")
endpoint: Final = Endpoint.from_env(os.environ)


async def app(scope: _Message, receive: _Receive, send: _Send) -> None:
    """Answer one request, or the server's start and end."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    match scope["method"], scope["path"]:
        case "POST", "/api/onTokenIssuanceStart":
            response = await endpoint.token_issuance_start(headers, body)
        case "GET", "/api/health":
            response = await endpoint.health(headers)
        case _:
            response = Response(404, b"", {})
    sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    sent.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": sent})
    await send({"type": "http.response.body", "body": response.body})


async def _lifespan(receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            await endpoint.aclose()
            return

"""The floor behind uvicorn: an ASGI app that answers a constant."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

type _Message = MutableMapping[str, Any]

_ANSWER: Final = (
    b'{"data":{"@odata.type":"microsoft.graph.onTokenIssuanceStartResponseData","actions":[{"@odata.type":'
    b'"microsoft.graph.tokenIssuanceStart.provideClaimsForToken","claims":{"ApiVersion":"1.0.0"}}]}}'
)
_HEADERS: Final = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]


async def app(
    scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    """Answer without looking."""
    message = await receive()
    if scope["type"] == "lifespan":
        while message["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
            message = await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ANSWER})

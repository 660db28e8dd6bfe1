"""The HTTP edge of the Functions host, imitated: what a function sees of a request and a client of an answer.

Each call of a function is a task of its own, as in the platform's worker: a client that leaves does not cancel it, and
a function that lets ``CancelledError`` out never answers. The real host then holds the request until its own timeout;
so does this one, for as long as the client waits. Function keys are not imitated: a function that is not anonymous
answers 401 to everybody.

Source: azure-functions-host ``GrpcMessageConversionExtensions.ToRpcHttp``, ``ExceptionMiddleware``,
``HttpRequestBodySizeMiddleware``, ``ScriptConstants``; ASP.NET Core, Kestrel's limits.
"""

import asyncio
import logging
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from selftest.host.replies import UnsendableError, empty, to_response
from selftest.host.routes import RouteTable
from selftest.host.worker import Function, FunctionRequest, InvocationFailedError, Worker

#: ``ScriptConstants.DefaultMaxRequestBodySize``: 100 MB.
DEFAULT_MAX_BODY_BYTES: Final = 104_857_600
#: The app setting that replaces it.
BODY_LIMIT_SETTING: Final = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
#: One header with its name. Wider than Kestrel's 32 KiB in total, so that the endpoint's own limit answers.
MAX_HEADER_BYTES: Final = 65_536 + 256
#: Kestrel's accept queue and idle time.
_BACKLOG: Final = 512
_KEEP_ALIVE_S: Final = 130.0
#: How long running requests may take once the host is told to stop: nobody waits longer than Entra does.
_DRAIN_S: Final = 2.0

_log = logging.getLogger("selftest.host")
_server_log = logging.getLogger("selftest.host.server")


def _is_ours(record: logging.LogRecord) -> bool:
    """Drop what aiohttp says of a request that is not HTTP: it quotes the request, and with it perhaps a token."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def max_body_bytes(settings: Mapping[str, str]) -> int:
    """Return the largest request body in bytes that the host takes with these app settings.

    A value that is not a 64-bit number is ignored, as Microsoft's host does.
    """
    text = settings.get(BODY_LIMIT_SETTING, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else DEFAULT_MAX_BODY_BYTES


class HttpEdge:
    """Serves the HTTP functions of a started app.

    Args:
        worker: the app.
        routes: its addresses.
        body_limit_bytes: a request whose announced body is larger is refused before any of it is read.
        new_id: makes the invocation ids.
    """

    def __init__(
        self,
        worker: Worker,
        routes: RouteTable,
        *,
        body_limit_bytes: int = DEFAULT_MAX_BODY_BYTES,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        _server_log.addFilter(_is_ours)
        self._worker = worker
        self._routes = routes
        self._body_limit_bytes = body_limit_bytes
        self._new_id = new_id
        # asyncio keeps only weak references to tasks.
        self._invocations: set[asyncio.Task[web.Response]] = set()
        self._closing = asyncio.Event()
        self._runner: web.ServerRunner | None = None

    async def listen(self, sock: socket.socket) -> None:
        """Answer on this bound socket until ``close``."""
        server = web.Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            logger=_server_log,
            # An encoded body reaches a function as it was sent.
            auto_decompress=False,
            max_field_size=MAX_HEADER_BYTES,
            keepalive_timeout=_KEEP_ALIVE_S,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=_DRAIN_S)
        await self._runner.setup()
        await web.SockSite(self._runner, sock, backlog=_BACKLOG).start()

    async def close(self) -> None:
        """Take no more requests, let the running ones finish for two seconds, and drop those that never will."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if not _is_unicode(request):
            return empty(400)
        found = self._routes.match(request.method, request.rel_url.path_safe)
        if found is None:
            return empty(404)
        function, route_params = found
        if function.auth_level != "ANONYMOUS":
            return empty(401)
        length = request.content_length or 0
        if length > self._body_limit_bytes:
            # The client may still send it: aiohttp reads what comes and keeps none of it.
            return empty(500)
        # Without Content-Length the host reads nothing: a chunked body is lost.
        body = await request.content.readexactly(length) if length else b""
        return await self._call(function, _to_function_request(request, route_params, body))

    async def _call(self, function: Function, request: FunctionRequest) -> web.Response:
        task = asyncio.create_task(self._invoke(function, request))
        self._invocations.add(task)
        task.add_done_callback(self._invocations.discard)
        # wait() leaves the task alone when the client goes and this handler is cancelled.
        await asyncio.wait({task})
        if task.cancelled():
            await self._closing.wait()
            # aiohttp drops the connection; an ordinary error it would answer.
            raise asyncio.CancelledError
        return task.result()

    async def _invoke(self, function: Function, request: FunctionRequest) -> web.Response:
        try:
            return to_response(await self._worker.invoke(function, request, self._new_id()))
        except InvocationFailedError as failure:
            _log.error("function %s failed: %s\n%s", function.name, failure, failure.stack_trace.rstrip())
        except UnsendableError as failure:
            _log.error("function %s answered what HTTP cannot carry: %s", function.name, failure)
        except asyncio.CancelledError:
            if not self._closing.is_set():
                _log.error(
                    "function %s let CancelledError out: Azure's host gets no answer and holds the request until it "
                    "times out. Catch it in the handler",
                    function.name,
                )
            raise
        return empty(500)


def _is_unicode(request: web.BaseRequest) -> bool:
    """Say whether every header and the address are UTF-8: Kestrel answers 400 to anything else."""
    try:
        request.path_qs.encode()
        for name, value in request.headers.items():
            name.encode()
            value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _to_function_request(request: web.BaseRequest, route_params: Mapping[str, str], body: bytes) -> FunctionRequest:
    headers = _joined(request.headers.items())
    return FunctionRequest(
        method=request.method,
        url=f"{request.scheme}://{request.host}{request.path_qs}",
        headers={name.lower(): value for name, value in headers.items()},
        query={name: value for name, value in _joined(request.query.items()).items() if value},
        route_params=route_params,
        body=body,
        trace_parent=request.headers.get("traceparent", ""),
        trace_state=request.headers.get("tracestate", ""),
    )


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of a repeated name with commas; names differ by more than case."""
    spelling: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(spelling.setdefault(name.lower(), name), []).append(value)
    return {name: ",".join(several) for name, several in values.items()}

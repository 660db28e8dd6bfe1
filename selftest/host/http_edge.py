"""The HTTP edge of the Functions host, imitated: what a function sees of a request and a client of a response.

Each call of a function is a task of its own, as in the platform's worker: a client that leaves does not cancel it, and
a function that lets ``CancelledError`` out never answers. The real host then holds the request until its own timeout;
so does this one, for as long as the client waits. Function keys are not imitated: a function that is not anonymous
answers 401 to everybody.

It is imported in the app's interpreter, so it needs nothing but the standard library and h11, which is pure Python.

Source: azure-functions-host ``GrpcMessageConversionExtensions.ToRpcHttp``, ``ExceptionMiddleware``,
``HttpRequestBodySizeMiddleware``, ``ScriptConstants``; ASP.NET Core, Kestrel's limits.
"""

import asyncio
import logging
import os
import socket
import uuid
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

import h11

from selftest.host.host_json import HostJson
from selftest.host.replies import HttpReply, UnsendableError, empty, homepage, to_reply
from selftest.host.request import UnreadableError, body_length, has_two_framings, to_function_request
from selftest.host.routes import RESERVED, RouteTable
from selftest.host.sending import linger, refuse, send, send_as_given
from selftest.host.supervisor import CallReport
from selftest.host.worker import Function, FunctionRequest, InvocationFailedError, Worker

#: ``ScriptConstants.DefaultMaxRequestBodySize``: 100 MB.
DEFAULT_MAX_BODY_BYTES: Final = 104_857_600
#: The app setting that replaces it.
BODY_LIMIT_SETTING: Final = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
#: Kestrel's limits of the request line and of all headers together, with room for the first line of the headers.
_MAX_HEAD_BYTES: Final = 8_192 + 32_768
_BACKLOG: Final = 512
_KEEP_ALIVE_S: Final = 130.0
#: How long running calls may take once the host is told to stop.
_DRAIN_S: Final = 30.0
_CHUNK_BYTES: Final = 65_536
#: Between the answer of a call that took too long and the worker's end, in seconds; and that end's exit code.
_LAST_ANSWER_S: Final = 0.1
_TIMED_OUT: Final = 70

_log = logging.getLogger("selftest.host")


def max_body_bytes(settings: Mapping[str, str]) -> int:
    """Return the largest request body in bytes that the host takes with these app settings.

    A value that is not a 64-bit number is ignored, as Microsoft's host does.
    """
    text = settings.get(BODY_LIMIT_SETTING, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else DEFAULT_MAX_BODY_BYTES


class HttpEdge:
    """Serves the HTTP functions of a started app.

    Args:
        worker: The app.
        app_dir: Its folder, for ``host.json``.
        settings: The app's settings.
        report: Tells which connections have a call; None where nobody replaces the worker.

    Raises:
        StartError: ``host.json`` cannot be read, or a route is one that is not imitated.
    """

    def __init__(
        self, worker: Worker, app_dir: Path, *, settings: Mapping[str, str], report: CallReport | None = None
    ) -> None:
        self._worker = worker
        self._report = report
        self._host_json = HostJson.read(app_dir)
        self._routes = RouteTable(worker.functions, prefix=self._host_json.prefix)
        self._body_limit_bytes = max_body_bytes(settings)
        # asyncio keeps only weak references to tasks.
        self._invocations: set[asyncio.Task[HttpReply]] = set()
        self._connections: set[asyncio.Task[None] | None] = set()
        self._idle: set[asyncio.Task[None] | None] = set()
        self._closing = asyncio.Event()
        self._server: asyncio.Server | None = None
        _log_unserved(worker.functions)

    async def listen(self, sock: socket.socket) -> None:
        """Answer on this bound socket until ``close``."""
        self._server = await asyncio.start_server(self._connected, sock=sock, backlog=_BACKLOG)

    async def close(self) -> None:
        """Take no more requests, let the running ones finish for 30 seconds, and drop those that never will."""
        self._closing.set()
        if self._server is not None:
            self._server.close()
        _cancel(self._idle)
        if self._connections:
            await asyncio.wait([task for task in self._connections if task is not None], timeout=_DRAIN_S)
        _cancel(self._connections)

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        self._connections.add(task)
        try:
            await self._converse(task, reader, writer)
        except (ConnectionError, TimeoutError):
            pass  # the client has left, or never said more
        finally:
            self._connections.discard(task)
            self._idle.discard(task)
            writer.close()

    async def _converse(self, task: asyncio.Task[None] | None, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer the requests of a connection, one after the other."""
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
        try:
            while not self._closing.is_set():
                self._idle.add(task)
                request = await _next_event(connection, reader)
                self._idle.discard(task)
                if not isinstance(request, h11.Request):
                    return None
                reply = await self._reply(connection, request, reader, writer)
                if reply.as_given:
                    return await send_as_given(reply, reader, writer)
                await send(connection, reply, writer, method=request.method)
                if reply.closes:
                    return await linger(reader, writer)
                if connection.they_are_waiting_for_100_continue or connection.our_state is h11.MUST_CLOSE:
                    return None
                while connection.their_state is h11.SEND_BODY:
                    await _next_event(connection, reader)
                connection.start_next_cycle()
        except UnreadableError as error:
            await refuse(error.status, reader, writer)
        except h11.RemoteProtocolError as error:
            # Not a word of it is logged: it may quote the request, and with it a token.
            if connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                await refuse(error.error_status_hint, reader, writer)

    async def _reply(
        self, connection: h11.Connection, request: h11.Request, reader: StreamReader, writer: StreamWriter
    ) -> HttpReply:
        try:
            reply = await self._answer(connection, request, reader, writer)
            return reply.with_headers(self._host_json.custom_headers)
        except UnsendableError:
            return empty(500, closes=True)

    async def _answer(
        self, connection: h11.Connection, request: h11.Request, reader: StreamReader, writer: StreamWriter
    ) -> HttpReply:
        path, make = to_function_request(request)
        found = self._routes.match(request.method.decode(), path)
        too_long = (length := body_length(request)) > self._body_limit_bytes
        if found is None:
            return replace(_own_address(path), closes=too_long)
        function, route_params = found
        if function.auth_level != "ANONYMOUS":
            return empty(401)
        two_framings = has_two_framings(request)
        # Without Content-Length the host reads nothing: a chunked body is lost.
        if too_long:
            return empty(500, closes=True)
        body = await _read_body(connection, reader, writer) if length and not two_framings else b""
        connected = writer.get_extra_info("socket")
        with nullcontext() if self._report is None else self._report.call(connected.fileno()):
            reply = await self._call(function, make(route_params, body))
        return replace(reply, headers=(*reply.headers, ("Connection", "close"))) if two_framings else reply

    async def _call(self, function: Function, request: FunctionRequest) -> HttpReply:
        task = asyncio.create_task(self._invoke(function, request))
        self._invocations.add(task)
        task.add_done_callback(self._invocations.discard)
        # wait() leaves the task alone when this connection is dropped.
        await asyncio.wait({task}, timeout=self._host_json.timeout_s)
        if not task.done():
            _log.error(
                "function %s took longer than functionTimeout, %g s: Azure's host answers 500 and replaces the worker, "
                "which costs every other call, too",
                function.name,
                self._host_json.timeout_s,
            )
            if self._report is not None:
                # The answer leaves first; the calls that run with it are lost.
                asyncio.get_running_loop().call_later(_LAST_ANSWER_S, os._exit, _TIMED_OUT)
            return empty(500)
        if task.cancelled():
            await self._closing.wait()
            raise ConnectionAbortedError
        return task.result()

    async def _invoke(self, function: Function, request: FunctionRequest) -> HttpReply:
        try:
            return to_reply(await self._worker.invoke(function, request, str(uuid.uuid4())))
        except InvocationFailedError as failure:
            _log.error("function %s failed: %s\n%s", function.name, failure, failure.stack_trace.rstrip())
        except UnsendableError as failure:
            _log.error("function %s answered what HTTP cannot carry: %s", function.name, failure)
            if failure.closes:
                raise
        except asyncio.CancelledError:
            if not self._closing.is_set():
                _log.error(
                    "function %s let CancelledError out: Azure's host gets no answer and holds the request until it "
                    "times out. Catch it in the handler",
                    function.name,
                )
            raise
        return empty(500)


async def _next_event(connection: h11.Connection, reader: StreamReader) -> object:
    """Return what the client sends next: a request, a part of its body, its end, or the end of the connection."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        async with asyncio.timeout(_KEEP_ALIVE_S):
            connection.receive_data(await reader.read(_CHUNK_BYTES))
    return event


async def _read_body(connection: h11.Connection, reader: StreamReader, writer: StreamWriter) -> bytes:
    parts = []
    event: object = connection.next_event()
    if event is h11.NEED_DATA and connection.they_are_waiting_for_100_continue:
        writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
    if event is h11.NEED_DATA:
        event = await _next_event(connection, reader)
    while isinstance(event, h11.Data):
        parts.append(bytes(event.data))
        event = await _next_event(connection, reader)
    if not isinstance(event, h11.EndOfMessage):
        raise ConnectionAbortedError
    return b"".join(parts)


def _own_address(path: str) -> HttpReply:
    """Answer where no function is: the host has a page and addresses of its own."""
    if path == "/":
        return homepage()
    if path.strip("/").lower().partition("/")[0] in RESERVED:
        return empty(401, ("WWW-Authenticate", "Bearer"))
    return empty(404)


def _cancel(tasks: Iterable[asyncio.Task[None] | None]) -> None:
    for task in list(tasks):
        if task is not None:
            task.cancel()


def _log_unserved(functions: Iterable[Function]) -> None:
    for function in functions:
        if function.trigger != "httpTrigger":
            _log.warning("function %s has a %s and is not served: only HTTP is", function.name, function.trigger)
        elif function.auth_level != "ANONYMOUS":
            _log.warning(
                "function %s has the auth level %s and answers 401: this host has no keys",
                function.name,
                function.auth_level,
            )

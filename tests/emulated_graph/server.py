"""The emulated Microsoft Graph as an HTTP server on the loopback interface.

It stores the objects of one tenant, answers as Graph's pages say, refuses what they do not allow, produces planned
faults, and logs every request without its token. It has no throttling, no directory roles and no owners of objects: a
permission is enough.
"""

import asyncio
import datetime as dt
import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from selftest.base.serve import HOST, serve
from selftest.downstream import wire
from selftest.tenant.graph.unsigned_tokens import FixedCredential, mint_token
from tests.emulated_graph.access import admit, authorize
from tests.emulated_graph.answers import Answer, Answers, Asked
from tests.emulated_graph.body import check_body
from tests.emulated_graph.directory import Directory
from tests.emulated_graph.faults import FaultPlan, GraphFault
from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.emulated_graph.operations import OPERATIONS, find
from tests.emulated_graph.query import check_options
from tests.emulated_graph.refusal import Refusal, bad_request
from tests.emulated_graph.writes import Writer

_JSON: Final = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

#: Every permission that any operation needs.
ALL_PERMISSIONS: Final = frozenset().union(*(names for each in OPERATIONS for names in each.permissions))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One received request, without its headers.

    Attributes:
        method: Of HTTP.
        path: With the version, percent-encoded, without the query.
        query: Its options.
        body: What was sent, parsed; None without one or where it is not JSON.
        status: Of the answer; None where the connection was closed before.
        done: Whether it changed the tenant, also where the answer was lost.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int | None
    done: bool


class GraphServer:
    """One tenant's Graph; an async context manager that listens while it is entered.

    Args:
        objects: The tenant, as ``doctor --file`` reads it; None: the healthy one.
        port: Where to listen on 127.0.0.1; 0 takes a free port.
        page_size: The maximum number of objects in a page.
        lag_requests: The number of requests that do not see a new object.
        clock: Wall-clock seconds since 1970, for tokens and times.

    Attributes:
        directory: The state, which tests may read and change.
        writer: Creates objects as Graph would, for tests.
        faults: The planned faults.
        log: Every request, in order.
    """

    def __init__(
        self,
        objects: Mapping[str, Any] | None = None,
        *,
        port: int = 0,
        page_size: int = 100,
        lag_requests: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.directory = Directory(healthy_tenant() if objects is None else objects)
        self.directory.lag_requests = lag_requests
        self.writer = Writer(self.directory, self._now)
        self.faults = FaultPlan()
        self.log: list[LoggedRequest] = []
        self._answers = Answers(self.directory, self.writer, page_size)
        self._port = port
        self._clock = clock
        self._over = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Return scheme, host and port, without a slash at the end, in place of https://graph.microsoft.com."""
        return f"http://{HOST}:{self._port}"

    @property
    def writes(self) -> list[LoggedRequest]:
        """Return the requests that changed the tenant."""
        return [request for request in self.log if request.done]

    def token(self, permissions: Iterable[str] = ALL_PERMISSIONS, *, delegated: bool = False) -> str:
        """Return a token that has these permissions and is valid for an hour."""
        (tenant_id,) = self.directory.kinds["organization"]
        return mint_token(permissions, tenant_id=tenant_id, now_s=self._clock(), delegated=delegated)

    def credential(self, permissions: Iterable[str] = ALL_PERMISSIONS, *, delegated: bool = False) -> FixedCredential:
        """Return a credential for a client, in place of a person."""
        names = frozenset(permissions)
        return FixedCredential(lambda: self.token(names, delegated=delegated))

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner, self._port = await serve(app, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        version, _, rest = request.raw_path.partition("?")[0].removeprefix("/").partition("/")
        fault = self.faults.take(request.method, f"/{rest}")
        if fault is not None and fault.manner != "lose":
            self._log_request(request, raw, fault.status if fault.manner == "answer" else None)
            return await self._play(request, fault)
        request_id = str(uuid.uuid4())
        headers = {"request-id": request_id, "client-request-id": request_id}
        try:
            answer = self._answer(request, raw, version, f"/{rest}")
        except Refusal as refusal:
            answer = Answer(status=refusal.status, body=refusal.as_json(request_id, self._now()))
        self._log_request(request, raw, None if fault else answer.status, answer=answer)
        if fault is not None:
            return wire.reset(request)
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        body = json.dumps(answer.body).encode()
        return web.Response(status=answer.status, headers=headers | {"Content-Type": _JSON}, body=body)

    def _answer(self, request: web.Request, raw: bytes, version: str, path: str) -> Answer:
        """Check a request in the order in which Graph does, and answer it."""
        held = admit(request.headers.get("Authorization"), self._clock())
        place = find(version, path)
        if place is None:
            raise Refusal(400, "BadRequest", f"Resource not found for the segment '{path.rpartition('/')[2]}'.")
        operation = place.operations.get(request.method)
        if operation is None:
            message = "Specified HTTP method is not allowed for the request target."
            raise Refusal(405, "Request_BadRequest", message)
        authorize(held, operation)
        check_options(operation, request.query, place.version)
        answer = self._answers.answer(
            Asked(
                version=place.version,
                operation=operation,
                keys=place.keys,
                query=dict(request.query),
                body=check_body(operation, _parsed(request, raw), place.version),
                create_if_missing="create-if-missing" in request.headers.get("Prefer", ""),
                url=f"{self.url}/{version}{path}",
            )
        )
        if answer.body is None:
            return answer
        context = f"{self.url}/{version}/$metadata#{path.strip('/')}{'' if operation.collection else '/$entity'}"
        return Answer(status=answer.status, body={"@odata.context": context, **answer.body})

    async def _play(self, request: web.Request, fault: GraphFault) -> web.StreamResponse:
        match fault.manner:
            case "hang":
                await self._over.wait()
                return wire.reset(request)
            case "cut":
                return wire.reset(request)
        headers = {"Content-Type": "application/json", "request-id": str(uuid.uuid4()), **fault.headers}
        return web.Response(status=fault.status, headers=headers, body=fault.body)

    def _log_request(
        self, request: web.Request, raw: bytes, status: int | None, *, answer: Answer | None = None
    ) -> None:
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        validates = request.path.endswith("/validateAuthenticationConfiguration")
        done = answer is not None and answer.status < 300 and request.method != "GET" and not validates
        path = request.raw_path.partition("?")[0]
        query = dict(request.query)
        self.log.append(
            LoggedRequest(method=request.method, path=path, query=query, body=body, status=status, done=done)
        )

    def _now(self) -> str:
        return dt.datetime.fromtimestamp(self._clock(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parsed(request: web.Request, raw: bytes) -> Any:
    if not raw:
        return None
    if request.content_type != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "The Content-Type of a body has to be application/json.")
    try:
        return json.loads(raw)
    except ValueError as error:
        raise bad_request("Unable to read JSON request payload.") from error

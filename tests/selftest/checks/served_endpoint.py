"""The project's endpoint in this process, with the emulated Entra and a replaceable fault."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from aiohttp import web

from claims.endpoint import Endpoint
from selftest.base.endpoint_url import CALLOUT_PATH, HEALTH_PATH
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.variant import MALFORMED_KEYS
from selftest.entra.key_store import KeyStore
from selftest.entra.server import EntraServer
from selftest.play.caller import caller_session
from selftest.play.target import endpoint_settings
from tests.selftest.checks.planted_fault import GOOD, Incoming, Outgoing, PlantedFault

_HEADER_BYTES = 64 * 1024
_BODY_BYTES = 16 * 1024 * 1024
#: aiohttp waits ten seconds for the rest of a body that a client, answered early, never sends.
_DRAIN_S = 0.1
_served: ContextVar[Incoming | None] = ContextVar("served", default=None)


@dataclass
class ServedEndpoint:
    """One endpoint under test.

    Attributes:
        fault: Its current fault.
        body_limit_bytes: A larger announced body gets an empty 500 at once, as from Microsoft's host; None: no limit.
        lines: Its log.
    """

    entra: EntraServer
    endpoint: Endpoint
    fault: PlantedFault = GOOD
    body_limit_bytes: int | None = None
    lines: list[str] = field(default_factory=list)
    env: CheckEnvironment = field(init=False)

    async def handle(self, request: web.Request) -> web.Response:
        """Serve one request through the fault."""
        if self.body_limit_bytes is not None and (request.content_length or 0) > self.body_limit_bytes:
            return web.Response(status=500)
        headers = tuple((key.lower(), value) for key, value in request.headers.items())
        incoming = Incoming(
            method=request.method,
            path=request.path,
            query=request.query_string,
            headers=headers,
            body=await request.read(),
        )
        reached = await self.fault.before(incoming, self.entra)
        answer = reached if isinstance(reached, Outgoing) else await self._route(reached)
        answer = self.fault.after(incoming, answer)
        response = web.Response(status=answer.status, body=answer.body)
        response.headers.popall("Content-Type", None)
        for name, value in answer.headers:
            response.headers.add(name, value)
        return response

    async def _route(self, request: Incoming) -> Outgoing:
        names = dict.fromkeys(name for name, _ in request.headers)
        joined = {name: request.header(name) or "" for name in names}
        if (request.method, request.path) == ("GET", HEALTH_PATH):
            answer = await self.endpoint.health(joined)
        elif (request.method, request.path) == ("POST", CALLOUT_PATH):
            _served.set(request)
            answer = await self.endpoint.token_issuance_start(joined, request.body)
        else:
            return Outgoing(status=404, body=b"", headers=())
        return Outgoing(status=answer.status, body=answer.body, headers=tuple(answer.headers.items()))


class _Lines(logging.Handler):
    """Collects log lines, and lets the fault change those of a request."""

    def __init__(self, served: ServedEndpoint) -> None:
        super().__init__()
        self._lab = served

    def emit(self, record: logging.LogRecord) -> None:
        request = _served.get()
        line = record.getMessage()
        self._lab.lines += [line] if request is None else self._lab.fault.log(line, request)


@asynccontextmanager
async def open_served_endpoint(
    *, malformed_keys: bool = False, store: KeyStore | None = None
) -> AsyncIterator[ServedEndpoint]:
    """Start everything, with the odd keys published before the endpoint loads any; waits take no time.

    Args:
        malformed_keys: Whether the malformed keys are published instead of the well-formed ones.
        store: The tenant's keys; None for those of this process.
    """
    async with EntraServer(store=store) as entra:
        entra.publish_spare()
        if malformed_keys:
            entra.publish_malformed()
        else:
            entra.publish_well_formed()
        async with serve_endpoint(entra, Endpoint.from_env(endpoint_settings(entra))) as served:
            served.env = replace(served.env, sleep=_no_time, variant=MALFORMED_KEYS if malformed_keys else None)
            yield served


async def _no_time(_: float) -> None:
    """Let others run, and wait no longer."""
    await asyncio.sleep(0.01)


@asynccontextmanager
async def serve_endpoint(entra: EntraServer, endpoint: Endpoint) -> AsyncIterator[ServedEndpoint]:
    """Serve an endpoint over HTTP, collect its log, and close it at the end."""
    logger = logging.getLogger("claims")
    level = logger.level
    logger.setLevel(logging.INFO)
    async with caller_session() as session:
        served = ServedEndpoint(entra, endpoint)
        lines = _Lines(served)
        logger.addHandler(lines)
        app = web.Application(client_max_size=_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", served.handle)
        runner = web.AppRunner(
            app,
            access_log=None,
            max_field_size=_HEADER_BYTES,
            max_line_size=_HEADER_BYTES,
            auto_decompress=False,
            shutdown_timeout=_DRAIN_S,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            base = f"http://127.0.0.1:{runner.addresses[0][1]}"
            served.env = CheckEnvironment(
                url=base + CALLOUT_PATH,
                health_url=base + HEALTH_PATH,
                session=session,
                tenant=entra.tenant,
                entra=entra,
                log=lambda: served.lines,
                log_wait_s=0.02,
            )
            yield served
        finally:
            logger.removeHandler(lines)
            logger.setLevel(level)
            await endpoint.aclose()
            await runner.cleanup()

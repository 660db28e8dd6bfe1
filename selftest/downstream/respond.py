"""One response of a server, as a fault changes it."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from selftest.downstream import wire
from selftest.downstream.faults import Fault


async def respond(
    request: web.Request,
    fault: Fault | None,
    make: Callable[[web.Request], web.Response],
    *,
    over: asyncio.Event,
    sleep: Callable[[float], Awaitable[None]],
    rng: Callable[[], float],
) -> web.StreamResponse:
    """Return the good response as the fault changes it.

    Args:
        request: What is answered.
        fault: What fails; None for nothing.
        make: Returns the good response.
        over: Set when the fault ends; the connections of waiting clients are then reset.
        sleep: Waits, in seconds.
        rng: Returns a random number from 0 to 1, for jitter.
    """
    if fault is None:
        return make(request)
    if fault.delay_s or fault.jitter_s:
        await sleep(fault.delay_s + fault.jitter_s * rng())
    match fault.manner:
        case "hang":
            await over.wait()
            return wire.reset(request)
        case "reset":
            return wire.reset(request)
        case "trickle":
            return await wire.trickle(request, _bytes(make(request)), sleep)
        case "truncate":
            return wire.truncate(request, _bytes(make(request)))
    response = make(request) if fault.status is None else web.Response(status=fault.status)
    if fault.body is not None:
        response.body = fault.body
        response.content_type = "application/json"
    response.headers.extend(fault.headers)
    return response


def _bytes(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""

"""The lines that an app logs while a check sends its requests."""

import asyncio
from collections.abc import Sequence
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse
from selftest.play.app_log import records_of

_POLL_S: Final = 0.005


async def logged(
    env: CheckEnvironment, request: RawRequest, *, correlation_id: str | None
) -> tuple[RawResponse, list[str]]:
    """Send a request; return the response and the lines logged in the meantime, including the request's own."""
    (response,), lines = await logged_during(env, [request], correlation_id=correlation_id)
    return response, lines


async def logged_during(
    env: CheckEnvironment, requests: Sequence[RawRequest], *, correlation_id: str | None
) -> tuple[list[RawResponse], list[str]]:
    """Send requests; return the responses and all lines logged in the meantime.

    Args:
        env: The environment.
        requests: The requests, in their order.
        correlation_id: That of the last one, whose line is waited for; None if it has none.
    """
    before = len(_lines(env))
    responses = [await env.send(request) for request in requests]
    # The line is written before the response, but travels through another pipe.
    for _ in range(round(env.log_wait_s / _POLL_S)):
        new = list(_lines(env)[before:])
        if any(True for _ in records_of(new, correlation_id)):
            return responses, new
        await asyncio.sleep(_POLL_S)
    return responses, list(_lines(env)[before:])


async def logged_before_a_valid_one(
    env: CheckEnvironment, requests: Sequence[RawRequest]
) -> tuple[list[RawResponse], list[str] | None]:
    """Send requests that may have no lines and then the valid one; return the responses and the lines up to its own.

    The lines are None if the valid request has none.
    """
    correlation_id = env.new_id()
    good = env.good_request(env.event(correlation_id))
    responses, lines = await logged_during(env, [*requests, good], correlation_id=correlation_id)
    return responses[:-1], lines if any(True for _ in records_of(lines, correlation_id)) else None


def _lines(env: CheckEnvironment) -> Sequence[str]:
    return env.log() if env.log is not None else ()

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
    before = len(_lines(env))
    response = await env.send(request)
    # The line is written before the response, but travels through another pipe.
    for _ in range(round(env.log_wait_s / _POLL_S)):
        new = list(_lines(env)[before:])
        if any(True for _ in records_of(new, correlation_id)):
            return response, new
        await asyncio.sleep(_POLL_S)
    return response, list(_lines(env)[before:])


async def logged_before_a_valid_one(
    env: CheckEnvironment, requests: Sequence[RawRequest]
) -> tuple[list[RawResponse], list[str] | None]:
    """Send requests that may have no lines and then the valid one; return the responses and the lines up to its own.

    The lines are None if the valid request has none.
    """
    before = len(_lines(env))
    responses = [await env.send(request) for request in requests]
    correlation_id = env.new_id()
    _, last = await logged(env, env.good_request(env.event(correlation_id)), correlation_id=correlation_id)
    ended = any(True for _ in records_of(last, correlation_id))
    return responses, list(_lines(env)[before:]) if ended else None


def _lines(env: CheckEnvironment) -> Sequence[str]:
    return env.log() if env.log is not None else ()

"""What the app logged about one request."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from selftest.checks.bench.environment import Bench
from selftest.checks.bench.probe import Answer, Request

_POLL_S: Final = 0.005


async def logged(bench: Bench, request: Request, *, correlation_id: str | None) -> tuple[Answer, list[str]]:
    """Send a request and give the lines that the app wrote meanwhile, once the request's own is among them."""
    before = len(_lines(bench))
    answer = await bench.send(request)
    # The line is written before the answer, but it travels through another pipe.
    for _ in range(round(bench.log_wait_s / _POLL_S)):
        new = list(_lines(bench)[before:])
        if any(True for _ in records_of(new, correlation_id)):
            return answer, new
        await asyncio.sleep(_POLL_S)
    return answer, list(_lines(bench)[before:])


def records_of(lines: Sequence[str], correlation_id: str | None) -> Iterator[dict[str, Any]]:
    """Read the lines that are this request's record; a refused request has no correlation id."""
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "status" in record and record.get("correlationId") == correlation_id:
            yield record


def _lines(bench: Bench) -> Sequence[str]:
    return bench.log() if bench.log is not None else ()

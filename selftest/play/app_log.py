"""The one reader of an app's log: the lines of a request, by its correlation id, and those of the host about the app.

The app's line is one JSON object, as docs/architecture.md has it; everything else in a log is ignored, apart from the
host's notes that the app's event loop is blocked or that its process ended.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from selftest.judge.app_line import LOOP_BLOCKED, WORKER_ENDED, AppLine, app_line
from selftest.play.caller import Call

#: Returns the lines of a log so far, oldest first.
type LogSource = Callable[[], Sequence[str]]

#: A line is written before its response, but travels through another pipe.
_LINE_WITHIN_S: Final = 1.0
_POLL_S: Final = 0.02
_WORKER_ENDED: Final = re.compile(r"the worker ended \((exit code -?\d{1,5})\)")


def app_lines(lines: Iterable[str], correlation_ids: Collection[str]) -> dict[str, tuple[AppLine, ...]]:
    """Return the app's lines by correlation id, oldest first; an id without a line is left out."""
    wanted, found = frozenset(correlation_ids), dict[str, tuple[AppLine, ...]]()
    for record in _records(lines):
        correlation_id = record.get("correlationId")
        if isinstance(correlation_id, str) and correlation_id in wanted:
            found[correlation_id] = (*found.get(correlation_id, ()), app_line(record))
    return found


def records_of(lines: Iterable[str], correlation_id: str | None) -> Iterator[dict[str, Any]]:
    """Yield the whole records of this request; a refused request has no correlation id."""
    return (record for record in _records(lines) if record.get("correlationId") == correlation_id)


def host_lines(lines: Iterable[str]) -> tuple[AppLine, ...]:
    """Return what the host says about the app: where its event loop was blocked, and that its process ended.

    Of the notes about one place the last one with a time is returned, or else the last one.
    """
    found: dict[str, AppLine] = {}
    for line in lines:
        if ended := _WORKER_ENDED.match(line):
            found[WORKER_ENDED] = AppLine(outcome=WORKER_ENDED, status=None, detail=ended[1])
        elif LOOP_BLOCKED in line and (record := _json_object(line)).get("event") == LOOP_BLOCKED:
            note = app_line({**record, "outcome": LOOP_BLOCKED})
            if note.total_ms is not None or note.detail not in found:
                found[note.detail] = note
    return tuple(found.values())


def _still_blocked(lines: Sequence[str]) -> tuple[AppLine, ...]:
    """Return the last note that the event loop is blocked, if none says that it runs again."""
    last = next((line for line in reversed(lines) if LOOP_BLOCKED in line), "")
    return tuple(note for note in host_lines([last]) if note.total_ms is None)


async def call_lines(log: LogSource, call: Call, correlation_id: str, *, before: int) -> tuple[AppLine, ...]:
    """Return what the app's log says about a call: the lines of its attempts, or else that of its refusal.

    Args:
        log: The log.
        call: The call, which has ended.
        correlation_id: That of its event.
        before: How many lines the log had before the call.
    """
    found = await request_lines(log, correlation_id, before=before, count=len(call.attempts))
    return found or last_refusal(log(), call.attempts[-1].status)


def kept_lines(lines: Sequence[str], correlation_id: str, status: int | None) -> tuple[AppLine, ...]:
    """Return what lines that were logged during a sign-in say about its call, whose last response had this status."""
    own = app_lines(lines, {correlation_id}).get(correlation_id, ())
    return (*own, *host_lines(lines)) or last_refusal(lines, status)


async def request_lines(
    log: LogSource, correlation_id: str, *, before: int, count: int = 1, wait_s: float = _LINE_WITHIN_S
) -> tuple[AppLine, ...]:
    """Return the app's lines of a request, and the host's since it was sent.

    Args:
        log: The log.
        correlation_id: That of the event.
        before: How many lines the log had before the request.
        count: How many lines to wait for.
        wait_s: How long to wait for them, in seconds.
    """
    end_s = time.monotonic() + wait_s
    while True:
        lines = log()
        own = app_lines((line for line in lines if correlation_id in line), {correlation_id}).get(correlation_id, ())
        if len(own) >= count or time.monotonic() > end_s:
            return (*own, *(host_lines(lines[before:]) or _still_blocked(lines)))
        await asyncio.sleep(_POLL_S)


def last_refusal(lines: Iterable[str], status: int | None) -> tuple[AppLine, ...]:
    """Return the last line of a refusal with this status: refused before its event is read, it has no correlation id.

    Of such refusals the app writes the first of each minute and code, so the line may be that of an earlier one.
    """
    refusals = [record for record in records_of(lines, None) if record["status"] == status]
    return tuple(map(app_line, refusals[-1:]))


def _records(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    return (record for line in lines if "status" in (record := _json_object(line)))


def _json_object(line: str) -> dict[str, Any]:
    if not line.lstrip().startswith("{"):
        return {}
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}

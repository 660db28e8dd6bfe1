"""The endpoint's lines and the host's about the app's start, extracted from the platform's logs.

A line of the endpoint is one JSON object (``claims/request_log.py``). Core Tools write a time before it, Application
Insights stores it in a column of a table, as JSON or CSV. A request whose token was refused has a line without a
correlation id, because its body was never read. Of such refusals the endpoint writes, for each code, the first of a
minute, with the number of refusals without a line since the last one.

Members are read one by one and not with a model: an unusable optional member must not cost the line.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeIs

from selftest.tenant.signin_log.fields import Fields
from selftest.tenant.signin_log.host_log import AppStart, read_start
from selftest.tenant.signin_log.read_text import InputError
from selftest.tenant.signin_log.tables import Table, read_table
from selftest.tenant.signin_log.times import TIME, parse_time

_EVENT: Final = "onTokenIssuanceStart"
_MARK: Final = re.compile(r'\{\s*"event"\s*:\s*"onTokenIssuanceStart"')
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
#: A provider chooses the names of its phases; the endpoint writes them as tokens of RFC 9110 section 5.6.2.
_PHASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLine:
    """What the endpoint did with one request.

    Attributes:
        at: The time, where the log has one; in UTC.
        correlation_id: The sign-in's; None where the token or the body was refused.
        outcome: ``claims``, ``omitted`` or ``stale``, else the code of the error.
        total_ms: From the request's arrival at the handler to the reply.
        failure: The provider's failure, where claims were sent in spite of it.
        detail: What was expected and what was there. May contain a provider's text: shown for our own codes only.
        not_written: The number of refusals with this outcome before this one that have no line.
        loop_stalled_ms: How long the event loop was blocked while this request waited; None where it was not.
    """

    at: dt.datetime | None
    correlation_id: str | None
    outcome: str
    status: int
    total_ms: float
    budget_ms: float | None
    phases_ms: Mapping[str, float]
    cold: bool = False
    joined: bool = False
    failure: str | None = None
    detail: str = ""
    not_written: int = 0
    loop_stalled_ms: float | None = None

    @property
    def slowest(self) -> str | None:
        """Return the phase that took longest."""
        return max(self.phases_ms, key=lambda name: self.phases_ms[name], default=None)


@dataclass(frozen=True, slots=True)
class EndpointLog:
    """The log of an app.

    Attributes:
        lines: In the file's order.
        start: The app's last start; None where the host wrote nothing about one.
    """

    lines: tuple[EndpointLine, ...]
    start: AppStart | None = None


def read_log(text: str, path: str) -> EndpointLog:
    """Return the endpoint's lines and how the app's last start ended.

    Raises:
        InputError: There is neither, or the file is a table that cannot be read.
    """
    start = read_start(text)
    lines = tuple(_found_in(text))
    if not lines:
        try:
            lines = tuple(_in_cells(read_table(text, path)))
        except InputError:
            if start is None and _EVENT in text:
                raise
    if not lines and start is None:
        raise InputError(
            path,
            'no line of the endpoint ({"event":"onTokenIssuanceStart",…}), and none of the host about its functions; '
            "give the app's log, or the traces table of Application Insights with its message column",
        )
    return EndpointLog(lines, start)


def _found_in(text: str) -> Iterator[EndpointLine]:
    for line in text.splitlines():
        mark = _MARK.search(line)
        before = None if mark is None else TIME.search(line[: mark.start()])
        at = None if before is None else parse_time(before[0])
        while mark is not None:
            document, end = _object_at(line, mark.start())
            if found := _line(document, at):
                yield found
            # What follows an object that cannot be read may be inside it.
            mark = None if document is None else _MARK.search(line, end)


def _in_cells(table: Table) -> Iterator[EndpointLine]:
    for row in table.rows:
        at = row.fields.time("timestamp", "TimeGenerated", "time")
        for cell in row.fields.texts():
            mark = _MARK.search(cell)
            if mark and (found := _line(_object_at(cell, mark.start())[0], at)):
                yield found
                break


def _object_at(text: str, start: int) -> tuple[dict[str, Any] | None, int]:
    """Return the object at a place and the place after it."""
    try:
        document, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    return document, end


def _line(document: dict[str, Any] | None, at: dt.datetime | None) -> EndpointLine | None:
    """Return a line, or None where the object is not a complete record: a truncated line does not fail the log."""
    if document is None:
        return None
    outcome, status, total_ms = (document.get(name) for name in ("outcome", "status", "total_ms"))
    if not isinstance(outcome, str) or not _WORD.fullmatch(outcome) or type(status) is not int:
        return None
    if not _is_ms(total_ms):
        return None
    budget_ms, phases, failure = (document.get(name) for name in ("budget_ms", "phases", "failure"))
    not_written, stalled_ms = document.get("not_written"), document.get("loop_stalled_ms")
    return EndpointLine(
        at=at,
        correlation_id=Fields(document).guid("correlationId"),
        outcome=outcome,
        status=status,
        total_ms=float(total_ms),
        budget_ms=float(budget_ms) if _is_ms(budget_ms) else None,
        phases_ms={
            name: float(spent_ms)
            for name, spent_ms in (phases.items() if isinstance(phases, dict) else ())
            if _PHASE.fullmatch(name) and _is_ms(spent_ms)
        },
        cold=document.get("cold") is True,
        joined=document.get("joined") is True,
        failure=failure if isinstance(failure, str) and _WORD.fullmatch(failure) else None,
        detail=str(document.get("detail") or ""),
        not_written=not_written if type(not_written) is int and not_written > 0 else 0,
        loop_stalled_ms=float(stalled_ms) if _is_ms(stalled_ms) else None,
    )


def _is_ms(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9

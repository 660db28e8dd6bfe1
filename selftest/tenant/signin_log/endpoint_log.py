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
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeIs

from selftest.tenant.signin_log.fields import Fields
from selftest.tenant.signin_log.host_log import HOST_LINE, AppStart, HostLine, starts_of
from selftest.tenant.signin_log.read_text import InputError
from selftest.tenant.signin_log.tables import LogRow, Table, read_table
from selftest.tenant.signin_log.times import TIME, TimeReader, in_one_order, parse_time

_MARK: Final = re.compile(r'\{\s*"event"\s*:\s*"onTokenIssuanceStart"')
#: The mark as it is quoted in a cell of JSON or CSV.
_QUOTED_MARK: Final = re.compile(r"event\W{3,9}onTokenIssuanceStart")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
#: A provider chooses the names of its phases; the endpoint writes them as tokens of RFC 9110 section 5.6.2.
_PHASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}")
#: How far from the start of a line its time may end.
_HEAD_CHARACTERS: Final = 100
#: A line of a log may start with a bracket, too.
_JSON: Final = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{])')
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
        starts: What the host wrote about the app's starts, the oldest first.
        span: The first and the last time of the log, in UTC; None where it has none, or a line without one.
        assumed: What was assumed about its times, as a sentence; empty where nothing was.
    """

    lines: tuple[EndpointLine, ...]
    starts: tuple[AppStart, ...] = ()
    span: tuple[dt.datetime, dt.datetime] | None = None
    assumed: str = ""


def read_log(text: str, path: str) -> EndpointLog:
    """Return the endpoint's lines and how the app's starts ended.

    Raises:
        InputError: There is neither, or the file is a table that cannot be read.
    """
    log = _scanned(_plain_records(text))
    if not log.lines:
        try:
            table = read_table(text, path)
        except InputError:
            if not log.starts and (_QUOTED_MARK.search(text) or _JSON.match(text)):
                raise
        else:
            # A time in a column is surer than one near the words; but a log of plain lines may look like CSV.
            in_cells, assumed = in_one_order(lambda times: _scanned(_table_records(table, times)))
            if in_cells.lines or not log.starts or _JSON.match(text) or any(_time_of(row) for row in table.rows):
                log = replace(in_cells, assumed=assumed)
    if not log.lines and not log.starts:
        raise InputError(
            path,
            'no line of the endpoint ({"event":"onTokenIssuanceStart",…}), and none of the host about its functions; '
            "give the app's log, or the traces table of Application Insights with its message column",
        )
    return log


def _scanned(records: Iterable[tuple[dt.datetime | None, str]]) -> EndpointLog:
    """Return what these records hold; each is the time of a text, and the text."""
    lines: list[EndpointLine] = []
    host: list[HostLine] = []
    times: tuple[dt.datetime, dt.datetime] | None = None
    for at, text in records:
        if at is not None:
            times = (at, at) if times is None else (min(times[0], at), max(times[1], at))
        lines += _found_in(text, at)
        host += ((at, found) for found in HOST_LINE.finditer(text))
    answered = sorted(line.at for line in lines if line.at is not None)
    starts = tuple(_with_answer(start, answered) for start in starts_of(host))
    return EndpointLog(tuple(lines), starts, times if len(answered) == len(lines) else None)


def _with_answer(start: AppStart, answered: Sequence[dt.datetime]) -> AppStart:
    if start.functions or start.at is None:
        return start
    place = bisect_left(answered, start.at)
    return replace(start, answered=answered[place]) if place < len(answered) else start


def _plain_records(text: str) -> Iterator[tuple[dt.datetime | None, str]]:
    """Yield each line with its time; a line that goes on with another, as an exception's text does, has that one's."""
    last: dt.datetime | None = None
    for line in text.splitlines():
        at = _time_before(line)
        last = at or last
        yield (at if _MARK.search(line) else last), line


def _table_records(table: Table, times: TimeReader) -> Iterator[tuple[dt.datetime | None, str]]:
    """Yield the text of each row with its time; several columns may hold the same line of the endpoint."""
    for row in table.rows:
        cells = row.fields.texts()
        at = _time_of(row, times.read)
        text = next((cell for cell in cells if any(_found_in(cell, at))), "\n".join(cells))
        yield at or _time_before(text), text


def _time_of(row: LogRow, read: Callable[[str], dt.datetime | None] = parse_time) -> dt.datetime | None:
    return row.fields.time("timestamp", "TimeGenerated", "time", read=read)


def _time_before(line: str) -> dt.datetime | None:
    """Return the time at the beginning of a line, before the endpoint's object."""
    mark = _MARK.search(line)
    found = TIME.search(line, 0, _HEAD_CHARACTERS if mark is None else mark.start())
    return None if found is None else parse_time(found[0])


def _found_in(text: str, at: dt.datetime | None) -> Iterator[EndpointLine]:
    for line in text.splitlines():
        mark = _MARK.search(line)
        while mark is not None:
            document, end = _object_at(line, mark.start())
            if found := _line(document, at):
                yield found
            # What follows an object that cannot be read may be inside it.
            mark = None if document is None else _MARK.search(line, end)


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

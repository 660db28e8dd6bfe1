"""The endpoint's lines for each event.

Matched by correlation id, which both sides write. A request whose token was refused has none: its line is matched by
time, in the order of both logs, and marked so. Of the refusals with one code the endpoint writes the first of a minute:
an event without a line is matched with the refusal that was written in the minute before.
"""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from selftest.tenant.signin_log.endpoint_log import EndpointLine, EndpointLog
from selftest.tenant.signin_log.event import OURS, SignInEvent

#: The largest difference between Entra's time of a call and the endpoint's time of its reply: two attempts and clocks.
_NEAR_S: Final = 10.0
#: For this time after a line the endpoint writes no other line for the same reason.
_SILENT_S: Final = 60.0
#: A log of requests has no line for those that did not reach the app, so that it may end before them, or begin after.
_NEAR_LOG: Final = dt.timedelta(minutes=10)
_REFUSED: Final = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An event and the endpoint's lines about it.

    Attributes:
        lines: In the log's order: a retry has its own line, and so has a second token of the same sign-in.
        by: How they were matched; None without a line. ``minute``: the line of an earlier refusal, which represents
            all refusals of its minute.
    """

    event: SignInEvent
    lines: tuple[EndpointLine, ...] = ()
    by: Literal["correlation id", "time", "minute"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Every event with its lines, and the lines without an event.

    Attributes:
        pairs: In the order of the events.
        refused: The lines of refused requests without an event.
        strangers: The number of other lines without an event.
        log: The app's log; None where none was read.
        from_graph: Whether the events were read from Graph, and not from a file.
    """

    pairs: tuple[Pair, ...]
    refused: tuple[EndpointLine, ...] = ()
    strangers: int = 0
    log: EndpointLog | None = None
    from_graph: bool = False

    def log_without(self, at: dt.datetime | None) -> tuple[dt.datetime, dt.datetime] | None:
        """Return the log's span where it has nothing near this time; None where it has, or where a time is unknown."""
        span = None if self.log is None else self.log.span
        if span is None or at is None or span[0] - _NEAR_LOG <= at <= span[1] + _NEAR_LOG:
            return None
        return span


def pair_up(events: Sequence[SignInEvent], log: EndpointLog | None) -> Pairs:
    """Match each event with its lines; None means that there is no log."""
    if log is None:
        return Pairs(pairs=tuple(Pair(event=event) for event in events))
    by_id: dict[str, list[EndpointLine]] = defaultdict(list)
    refused: list[EndpointLine] = []
    for line in log.lines:
        if line.correlation_id is not None:
            by_id[line.correlation_id].append(line)
        elif line.status == _REFUSED:
            refused.append(line)
    open_events = [event for event in events if _may_be_refused(event) and event.correlation_id not in by_id]
    by_time = _in_order_of_time(open_events, refused)
    by_minute = _in_the_minute_before((event for event in open_events if id(event) not in by_time), refused)
    pairs = []
    for event in events:
        if event.event_type != OURS:
            pairs.append(Pair(event=event))
        elif found := by_id.get(event.correlation_id or ""):
            pairs.append(Pair(event=event, lines=tuple(found), by="correlation id"))
        elif (near := by_time.get(id(event))) is not None:
            pairs.append(Pair(event=event, lines=(near,), by="time"))
        elif (earlier := by_minute.get(id(event))) is not None:
            pairs.append(Pair(event=event, lines=(earlier,), by="minute"))
        else:
            pairs.append(Pair(event=event))
    known = {event.correlation_id for event in events}
    used = {id(line) for line in (*by_time.values(), *by_minute.values())}
    return Pairs(
        pairs=tuple(pairs),
        refused=tuple(line for line in refused if id(line) not in used),
        strangers=sum(len(found) for correlation_id, found in by_id.items() if correlation_id not in known),
        log=log,
    )


def _may_be_refused(event: SignInEvent) -> bool:
    """Whether this call's token may have been refused; without a status 1003005 can mean that, too."""
    ours = event.event_type == OURS and event.failed and not event.before_call
    return ours and event.http_status in {_REFUSED, 0, None}


def _in_order_of_time(events: Iterable[SignInEvent], lines: Iterable[EndpointLine]) -> dict[int, EndpointLine]:
    """Match events and lines one to one in order of time; the keys are ids of event objects."""
    timed = sorted(((event.at, place, event) for place, event in enumerate(events) if event.at is not None))
    waiting = sorted(((line.at, place, line) for place, line in enumerate(lines) if line.at is not None), reverse=True)
    found: dict[int, EndpointLine] = {}
    for at, _, event in timed:
        while waiting and (at - waiting[-1][0]).total_seconds() > _NEAR_S:
            waiting.pop()
        if waiting and (waiting[-1][0] - at).total_seconds() <= _NEAR_S:
            found[id(event)] = waiting.pop()[2]
    return found


def _in_the_minute_before(events: Iterable[SignInEvent], lines: Iterable[EndpointLine]) -> dict[int, EndpointLine]:
    """Match each event with the last line that may represent it; a line may represent many. Keyed by object id."""
    timed = sorted(((line.at, place, line) for place, line in enumerate(lines) if line.at is not None))
    times = [at for at, _, _ in timed]
    found: dict[int, EndpointLine] = {}
    for event in events:
        if event.at is None or event.http_status != _REFUSED:
            continue
        last = bisect_right(times, event.at + dt.timedelta(seconds=_NEAR_S)) - 1
        if last >= 0 and (event.at - times[last]).total_seconds() <= _SILENT_S + _NEAR_S:
            found[id(event)] = timed[last][2]
    return found

"""The selection of events of a log, and their counts over time."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from selftest.tenant.signin_log.event import SignInEvent

_SPAN: Final = re.compile(r"([0-9]{1,5})([mhd])")
_UNITS_S: Final = {"m": 60, "h": 3600, "d": 86_400}
#: Widths of a column in seconds: familiar units from a minute to a month.
_WIDTHS_S: Final = (60, 300, 900, 3600, 4 * 3600, 86_400, 7 * 86_400, 30 * 86_400)
_MAX_COLUMNS: Final = 30
#: In place of a code where the log does not say how the event ended.
UNREAD: Final = -1
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A filter of events; a criterion that is not set accepts all.

    Attributes:
        since: Excludes events before this time. An event without a readable time stays, so that no failure is hidden.
        app: An application's id, or the start of its name in any case.
        code: The event's code, or the sign-in's result.
    """

    since: dt.datetime | None = None
    app: str | None = None
    code: int | None = None
    correlation_id: str | None = None
    failed: bool = False

    def wants(self, event: SignInEvent) -> bool:
        """Whether an event passes the filter."""
        app = (self.app or "").lower()
        return (
            (self.since is None or event.at is None or event.at >= self.since)
            and (not app or app == event.app_id or event.app_name.lower().startswith(app))
            and (self.code is None or self.code in {event.code, event.result})
            and (self.correlation_id is None or self.correlation_id == event.correlation_id)
            and (event.failed or not self.failed)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Events by code over time.

    Attributes:
        start: The beginning of the first column, in UTC.
        columns: Counts by code, one for each column; the code None is success.
    """

    start: dt.datetime
    width_s: int
    columns: Mapping[int | None, tuple[int, ...]]


def parse_span(text: str) -> dt.timedelta:
    """Read a span such as ``90m``, ``24h`` or ``7d``.

    Raises:
        ValueError: The text is not a span, or the span is zero.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None or not int(found[1]):
        raise ValueError(f"expected minutes, hours or days such as 90m, 24h or 7d, got {text[:20]!r}")
    return dt.timedelta(seconds=int(found[1]) * _UNITS_S[found[2]])


def newest_first(events: Iterable[SignInEvent]) -> list[SignInEvent]:
    """Return the events sorted as in the portal; events without a time come last, in the log's order."""
    return sorted(events, key=lambda event: event.at or _EPOCH, reverse=True)


def histogram(events: Sequence[SignInEvent]) -> Histogram | None:
    """Count the events that have a time, in columns that fit the whole; None where no event has a time."""
    timed = [(event.at, shown_code(event)) for event in events if event.at is not None]
    if not timed:
        return None
    first, last = min(at for at, _ in timed), max(at for at, _ in timed)
    span_s = (last - first).total_seconds()
    width_s = next((width_s for width_s in _WIDTHS_S if span_s / width_s < _MAX_COLUMNS - 1), _WIDTHS_S[-1])
    start = _EPOCH + dt.timedelta(seconds=(first - _EPOCH).total_seconds() // width_s * width_s)
    counts = Counter((code, min(int((at - start).total_seconds() // width_s), _MAX_COLUMNS - 1)) for at, code in timed)
    number = max(column for _, column in counts) + 1
    codes = sorted({code for _, code in timed}, key=lambda code: (code is None, code == UNREAD, code or 0))
    return Histogram(
        start=start,
        width_s=width_s,
        columns={code: tuple(counts[code, column] for column in range(number)) for code in codes},
    )


def shown_code(event: SignInEvent) -> int | None:
    """Return the code under which an event counts: its own, else that of the sign-in; None for a success.

    A call that failed by its status only counts as 1003002, the meaning of such a status.
    """
    if not event.failed:
        return UNREAD if event.unknown else None
    return event.code or (event.result if not event.logged else 1003002)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

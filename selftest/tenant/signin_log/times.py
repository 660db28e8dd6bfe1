"""The times of a log: ISO 8601, or as a portal, PowerShell 5.1 or the culture of the exporting machine writes them.

The dates of one file have one order of day and month. Where some can only be read one way, they decide about the
others. Where none does, capital AM and PM are taken for the order of the United States, which is said; without them a
date that can be read both ways is no time: no time is better than one that is months off. A time without a zone is
taken as UTC.

Source: ECMA-404 has no dates; ``/Date(ms)/`` is JavaScriptSerializer's form, which ``ConvertTo-Json`` of PowerShell 5.1
uses; .NET culture formats ``d`` and ``G``.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Final

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: Milliseconds since 1970 in UTC; the offset that may follow names the zone of the writer and changes nothing.
_TICKS: Final = re.compile(r"\\?/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)\\?/")
_CULTURE: Final = re.compile(
    r"(?P<first>[0-9]{1,4})(?P<mark>[./-])(?P<second>[0-9]{1,2})(?P=mark)(?P<third>[0-9]{1,4}),?\s{1,3}"
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<s>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,7}))?)?"
    r"(?:\s?(?P<half>[AaPp])\.?\s?[Mm]\.?)?(?:\s?(?P<zone>Z|UTC|[+-][0-9]{2}:[0-9]{2}))?"
)
_MONTHS: Final = 12
#: A time in ISO 8601 inside another text, as platforms write it before a line of a log.
TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)


class TimeReader:
    """Read the times of one file, and record what their dates say about the order of day and month.

    Attributes:
        local: Whether a time in a local form without a zone was read.
    """

    def __init__(self, *, day_first: bool | None = None) -> None:
        self._day_first = day_first
        self._orders: set[bool] = set()
        self._both_ways: set[bool] = set()
        self.local = False

    @property
    def day_first(self) -> bool | None:
        """Return the order that the dates read so far decide; None where they do not."""
        if len(self._orders) == 1:
            return next(iter(self._orders))
        return False if not self._orders and True in self._both_ways else None

    @property
    def undecided(self) -> bool:
        """Whether a date was read that needs an order which `day_first` now has."""
        return bool(self._both_ways) and self._day_first is None and self.day_first is not None

    def note(self) -> str:
        """Return what was assumed, as a sentence; empty where nothing was."""
        said = []
        if self._both_ways and self._day_first is not None:
            order = "day/month/year" if self._day_first else "month/day/year"
            why = "as other dates of the file must be" if self._orders else "as AM and PM suggest"
            said.append(f"as {order} ({why})")
        if self.local:
            said.append("as UTC where they name no zone")
        return f"times in a local form such as 3/2/2026 8:33:00 were read {' and '.join(said)}" if said else ""

    def read(self, text: str) -> dt.datetime | None:
        """Return a time in UTC; None for any other text."""
        try:
            if ticks := _TICKS.fullmatch(text):
                return _EPOCH + dt.timedelta(milliseconds=int(ticks[1]))
            found = _CULTURE.fullmatch(text)
            read = dt.datetime.fromisoformat(text) if found is None else self._of_culture(found)
            return None if read is None else (read if read.tzinfo else read.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        except (ValueError, OverflowError):  # an impossible date, or a zone that leaves the calendar
            return None

    def _of_culture(self, found: re.Match[str]) -> dt.datetime | None:
        date = self._date(found)
        if date is None:
            return None
        hour, half = int(found["hour"]), (found["half"] or "").lower()
        if half:
            hour = hour % 12 + (12 if half == "p" else 0)
        zone = found["zone"] or "Z"
        clock = f"{hour:02}:{found['minute']}:{found['s'] or '00'}.{(found['fraction'] or '0')[:6]:0<6}"
        read = dt.datetime.fromisoformat(f"{date.isoformat()}T{clock}{'Z' if zone == 'UTC' else zone}")
        self.local = self.local or found["zone"] is None
        return read

    def _date(self, found: re.Match[str]) -> dt.date | None:
        """Return the date; None where it is unknown which number is the day and which the month."""
        first, second, third = int(found["first"]), int(found["second"]), int(found["third"])
        if len(found["first"]) == 4:
            return dt.date(first, second, third)
        if len(found["third"]) != 4:
            return None
        if found["mark"] == "." or first == second:
            return dt.date(third, second, first)
        if first > _MONTHS or second > _MONTHS:
            date = dt.date(third, second, first) if first > _MONTHS else dt.date(third, first, second)
            self._orders.add(first > _MONTHS)
            return date
        self._both_ways.add((found["half"] or "").isupper())
        if self._day_first is None:
            return None
        return dt.date(third, second, first) if self._day_first else dt.date(third, first, second)


def in_one_order[Content](read: Callable[[TimeReader], Content]) -> tuple[Content, str]:
    """Return what is read with the times of one file, and what was assumed about them; it may be read twice.

    What one date says of the order of day and month holds for those before it, too.
    """
    times = TimeReader()
    content = read(times)
    if times.undecided:
        times = TimeReader(day_first=times.day_first)
        content = read(times)
    return content, times.note()


def parse_time(text: str) -> dt.datetime | None:
    """Return a time in UTC, read without other times of its file; None for any other text."""
    return in_one_order(lambda times: times.read(text))[0]


def in_words(at: dt.datetime | None) -> str:
    """Return a time, in UTC."""
    return "at an unknown time" if at is None else f"{at:%Y-%m-%d %H:%M:%SZ}"


def span_in_words(first: dt.datetime, last: dt.datetime) -> str:
    """Return a span of time, in UTC."""
    return in_words(first) if first == last else f"{in_words(first)} to {in_words(last)}"

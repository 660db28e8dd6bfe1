"""The times of a log: ISO 8601, or as a portal, PowerShell 5.1 or the culture of the exporting machine writes them.

A time whose day and month cannot be told apart is no time: no time is better than one that is months off. Capital AM
and PM are taken for the order of the United States. A time without a zone is in UTC.

Source: ECMA-404 has no dates; ``/Date(ms)/`` is JavaScriptSerializer's form, which ``ConvertTo-Json`` of PowerShell 5.1
uses; .NET culture formats ``d`` and ``G``.
"""

import datetime as dt
import re
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


def parse_time(text: str) -> dt.datetime | None:
    """Return a time in UTC; None for any other text."""
    try:
        if ticks := _TICKS.fullmatch(text):
            return _EPOCH + dt.timedelta(milliseconds=int(ticks[1]))
        found = _CULTURE.fullmatch(text)
        read = dt.datetime.fromisoformat(text) if found is None else _of_culture(found)
        return None if read is None else (read if read.tzinfo else read.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):  # an impossible date, or a zone that leaves the calendar
        return None


def _of_culture(found: re.Match[str]) -> dt.datetime | None:
    date = _date(found)
    if date is None:
        return None
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    zone = found["zone"] or "Z"
    clock = f"{hour:02}:{found['minute']}:{found['s'] or '00'}.{(found['fraction'] or '0')[:6]:0<6}"
    return dt.datetime.fromisoformat(f"{date.isoformat()}T{clock}{'Z' if zone == 'UTC' else zone}")


def _date(found: re.Match[str]) -> dt.date | None:
    """Return the date; None where its day, month and year cannot be told apart."""
    first, second, third = int(found["first"]), int(found["second"]), int(found["third"])
    if len(found["first"]) == 4:
        return dt.date(first, second, third)
    if len(found["third"]) != 4:
        return None
    if found["mark"] == "." or first > _MONTHS:
        return dt.date(third, second, first)
    if second > _MONTHS or first == second or (found["half"] or "").isupper():
        return dt.date(third, first, second)
    return None

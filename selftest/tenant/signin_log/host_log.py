"""The app's starts in the lines that the Azure Functions host writes about them.

Only the number of functions, the class of an exception and the name of a missing module are read: any other text of an
exception may quote a setting. The lines do not say why no function was loaded: a wrong setting, an import that fails,
an empty package and another folder look alike where no exception is logged.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

#: The lines of one start are at most this far apart; the host needs seconds, and a restart of the worker more.
_ONE_START: Final = dt.timedelta(seconds=60)
HOST_LINE: Final = re.compile(
    r"(?P<begin>Reading functions metadata)"
    r"|\b(?P<found>[0-9]{1,4}) functions? found\b"
    r"|\b(?P<loaded>[0-9]{1,4}) functions? loaded\b"
    r"|(?P<none>No job functions found|Worker failed to index functions|Did not find functions with language)"
    r"|Exception: (?P<error>[A-Za-z_][A-Za-z0-9_.]{0,59}(?:Error|Exception))\b"
    r"(?:: No module named '(?P<module>[A-Za-z0-9_.]{1,80})')?"
)
type HostLine = tuple[dt.datetime | None, re.Match[str]]


@dataclass(frozen=True, slots=True)
class AppStart:
    """How one start of the app ended.

    Attributes:
        functions: The number of functions that the host loaded.
        error: The class of an exception at a start without functions, with a missing module's name; empty if unknown.
        at: The time of its first line, in UTC; None where the log has no times.
        answered: Of a start without functions, the time of the endpoint's next line; None without one.
    """

    functions: int
    error: str = ""
    at: dt.datetime | None = None
    answered: dt.datetime | None = None


def starts_of(lines: Iterable[HostLine]) -> tuple[AppStart, ...]:
    """Return the starts that these lines report, the oldest first; lines without a count make none."""
    return tuple(start for group in _groups(_oldest_first(list(lines))) if (start := _start(group)) is not None)


def _oldest_first(lines: list[HostLine]) -> list[HostLine]:
    """Return the lines in order of time: an export of Application Insights often starts with the newest."""
    times = [at for at, _ in lines if at is not None]
    if times and times[-1] < times[0]:
        lines.reverse()
    return sorted(lines, key=lambda line: line[0] or times[0]) if len(times) == len(lines) else lines


def _groups(lines: Iterable[HostLine]) -> Iterator[list[HostLine]]:
    """Yield the lines of each start: a new one begins after a pause, and where the host reads functions again."""
    group: list[HostLine] = []
    for at, line in lines:
        before = group[-1][0] if group else None
        paused = at is not None and before is not None and at - before > _ONE_START
        if paused or (line["begin"] and any(earlier["loaded"] or earlier["none"] for _, earlier in group)):
            yield group
            group = []
        group.append((at, line))
    yield group


def _start(group: Iterable[HostLine]) -> AppStart | None:
    found: int | None = None
    loaded: int | None = None
    error = ""
    first: dt.datetime | None = None
    for at, line in group:
        first = first or at
        if line["begin"]:
            error = ""  # of a request before the start
            first = at if found is None and loaded is None else first
        elif line["error"]:
            error = line["error"] + (f": no module named {line['module']}" if line["module"] else "")
        elif line["found"]:
            # Several sources of functions are counted one after another; the number that is loaded decides.
            found = max(found or 0, int(line["found"]))
        else:
            loaded = int(line["loaded"] or 0)
    functions = found if loaded is None else loaded
    return None if functions is None else AppStart(functions, "" if functions else error, first)

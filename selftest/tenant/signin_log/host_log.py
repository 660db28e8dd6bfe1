"""The app's last start in the lines that the Azure Functions host writes, in whatever a platform wraps around them.

An app whose settings or imports stop it loads no function, and the host then answers 404 on every route. Only the
number of functions, the class of an exception and the name of a missing module are read: any other text of an exception
may quote a setting.
"""

import re
from dataclasses import dataclass
from typing import Final

from selftest.tenant.signin_log.times import TIME

#: How many characters before a line the time that belongs to it may start.
_BEFORE: Final = 200
_LINE: Final = re.compile(
    r"(?P<begin>Reading functions metadata)"
    r"|\b(?P<found>[0-9]{1,4}) functions? found\b"
    r"|\b(?P<loaded>[0-9]{1,4}) functions? loaded\b"
    r"|(?P<none>No job functions found|Worker failed to index functions|Did not find functions with language)"
    r"|Exception: (?P<error>[A-Za-z_][A-Za-z0-9_.]{0,59}(?:Error|Exception))\b"
    r"(?:: No module named '(?P<module>[A-Za-z0-9_.]{1,80})')?"
)


@dataclass(frozen=True, slots=True)
class AppStart:
    """How the app's last start ended.

    Attributes:
        functions: The number of functions that the host loaded.
        error: The class of the exception that stopped the start, with the module that is missing; empty if unknown.
    """

    functions: int
    error: str = ""


def read_start(text: str) -> AppStart | None:
    """Return the last start in a log; None where the log has no line about one."""
    functions: int | None = None
    error = ""
    decided = False
    for line in _oldest_first(text):
        if line["begin"]:
            error = ""
        elif line["error"]:
            error = line["error"] + (f": no module named {line['module']}" if line["module"] else "")
        elif line["found"]:
            # Several sources of functions are counted one after another; the number that is loaded decides.
            functions = functions if decided else max(functions or 0, int(line["found"]))
        else:
            functions, decided = int(line["loaded"] or 0), True
    return None if functions is None else AppStart(functions, "" if functions else error)


def _oldest_first(text: str) -> list[re.Match[str]]:
    """Return the lines in order of time: an export of Application Insights often starts with the newest."""
    lines = list(_LINE.finditer(text))
    times = [time[-1] for line in lines if (time := TIME.findall(text, max(0, line.start() - _BEFORE), line.start()))]
    return lines[::-1] if times and times[-1] < times[0] else lines

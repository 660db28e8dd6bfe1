"""Why this project's endpoint failed a call, from the line that it logged: the cause, and what to do.

The table is `codes/endpoint.toml`. Other endpoints log other codes; for these no cause is shown, only the
line.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from selftest.judge.app_line import LOOP_BLOCKED, AppLine

#: A shorter stall of the event loop costs no sign-in, and a busy machine causes it, too.
BLOCKED_MS: Final = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCause:
    """One reason why the endpoint fails a call.

    Attributes:
        codes: The codes in the log line; one may end in ``*``.
        leads_to: The code that Entra logs.
        cause: What happened.
        fix: What to do.
        lasting: Whether each call fails by it, however fast the machine is.
    """

    codes: tuple[str, ...]
    leads_to: int
    cause: str
    fix: str
    lasting: bool = False

    def has(self, code: str) -> bool:
        """Whether the code of a line is one of these."""
        return any(fnmatchcase(code, pattern) for pattern in self.codes)


def _read() -> tuple[AppCause, ...]:
    document = tomllib.loads((Path(__file__).parent / "codes" / "endpoint.toml").read_text(encoding="utf-8"))
    return tuple(AppCause(**{**row, "codes": tuple(row["codes"])}) for row in document["outcome"])


APP_CAUSES: Final = _read()


def cause_of_code(code: str) -> AppCause | None:
    """Return the cause that a code in a log line stands for; None if this endpoint has no such code for a 503."""
    return next((cause for cause in APP_CAUSES if cause.has(code)), None)


def cause_of(lines: Sequence[AppLine]) -> AppCause | None:
    """Return the cause that the lines of one request name; None if they name none.

    What the provider did wrong at each call comes first, which no waiting changes. Then a blocked event loop: whatever
    else failed, failed after it.
    """
    found = [cause for line in reversed(lines) if (cause := cause_of_code(line.code)) is not None]
    if found and found[0].lasting:
        return found[0]
    if any(_blocked(line) for line in lines):
        return cause_of_code(LOOP_BLOCKED)
    return found[0] if found else None


def _blocked(line: AppLine) -> bool:
    if line.outcome == LOOP_BLOCKED:
        return line.total_ms is None or line.total_ms >= BLOCKED_MS
    return line.loop_stalled_ms >= BLOCKED_MS


def explained(lines: Sequence[AppLine], *, fix: bool = True) -> list[tuple[str, str]]:
    """Return the rows that say why a call failed, each with its label: the lines, their cause, and what to do."""
    rows = [("app" if line.status else "host", str(line)) for line in lines]
    cause = cause_of(lines)
    if cause is not None:
        rows += [("cause", cause.cause), ("fix", cause.fix)] if fix else [("cause", cause.cause)]
    return rows

"""What keeps the program from doing what it was asked, besides what Graph itself refuses.

    EntraError
    ├── UsageError        flags and environment do not say what to make
    ├── Conflict          the tenant holds what must not be overwritten, or what cannot be told apart
    ├── Unprepared        permissions are missing, or the endpoint does not answer: nothing was written
    ├── NotSettled        what was written cannot be read back
    └── NotClean          Entra's own validation still complains

`selftest.tenant.graph.errors` has the others. Each leaf carries the exit code of the command.
"""

from typing import ClassVar


class EntraError(Exception):
    """Raised when a command ends early; the message says what, why, and the way on."""

    exit_code: ClassVar[int] = 2


class UsageError(EntraError):
    """Raised when flags and environment contradict each other or leave something open."""


class Conflict(EntraError):
    """Raised when going on would overwrite or delete what is not ours.

    Attributes:
        reasons: each with its way on.
    """

    exit_code = 1

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


class Unprepared(EntraError):
    """Raised before anything is written."""


class NotSettled(EntraError):
    """Raised when Graph took a write and still does not show it."""


class NotClean(EntraError):
    """Raised when Entra's validation has not become empty in time."""

    exit_code = 3

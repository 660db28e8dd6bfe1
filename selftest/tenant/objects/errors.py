"""What stops a command besides `CannotRun` (exit code 2) and what Graph itself refuses: with other exit codes."""

from typing import ClassVar, Final

from selftest.base.cannot_run import FAILED, NOT_ENOUGH_EVIDENCE, CannotRun
from selftest.judge.texts import own_table

REASONS: Final[dict[str, str]] = own_table(__file__)


class Conflict(CannotRun):
    """To go on would overwrite or delete objects of others, or objects that cannot be distinguished.

    Attributes:
        reasons: Each with what to do.
    """

    exit_code: ClassVar[int] = FAILED

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


class NotClean(CannotRun):
    """Entra's validation still reported problems at the deadline."""

    exit_code: ClassVar[int] = NOT_ENOUGH_EVIDENCE


def reason(name: str, /, **values: object) -> str:
    """Return the reason with this name in ``errors.toml``, with these values in the place of their names in braces."""
    return REASONS[name].format(**values)


def conflict(name: str, /, **values: object) -> Conflict:
    """Return a conflict for the reason with this name."""
    return Conflict(reason(name, **values))

"""What stops a command besides `CannotRun` (exit code 2) and what Graph itself refuses: with other exit codes."""

from typing import ClassVar

from selftest.base.cannot_run import FAILED, NOT_ENOUGH_EVIDENCE, CannotRun


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

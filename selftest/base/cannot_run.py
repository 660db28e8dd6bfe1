"""What stops a command before it has a verdict: exit code 2, with one sentence on stderr."""

from typing import Final

PASSED: Final = 0
#: A check of a level that counts, or a threshold.
FAILED: Final = 1
#: Usage, settings, an unreachable endpoint, a file that cannot be read.
COULD_NOT_RUN: Final = 2
#: The command ran, but what it saw is no evidence.
NOT_ENOUGH_EVIDENCE: Final = 3
INTERRUPTED: Final = 130


class CannotRun(Exception):
    """A command cannot do what it was asked for. `selftest.cli` prints the message and exits with `COULD_NOT_RUN`.

    The message says what is wrong, why, and what to do, without secrets. Subclasses exist only where a caller must tell
    them apart.
    """

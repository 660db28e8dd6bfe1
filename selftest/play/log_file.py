"""The log of an endpoint that runs elsewhere: a file that it writes while the checks run."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.play.app_log import records_of

#: What is read of the file in one run.
MAX_BYTES: Final = 64 * 1024 * 1024
#: What is read of what it had before.
_EARLIER_BYTES: Final = 256 * 1024


class LogFile:
    """What an endpoint wrote to a file since the run began, after the refusals that it wrote before.

    Of the refusals without a correlation id the endpoint writes the first of each minute and code: the line of a
    sign-in of this run may have been written before. Every other line belongs to the run that caused it.

    Args:
        path: The file. It may grow.

    Raises:
        CannotRun: The file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = b""
        self._left = MAX_BYTES
        try:
            with path.open("rb") as file:
                self._position = file.seek(0, io.SEEK_END)
                file.seek(max(0, self._position - _EARLIER_BYTES))
                earlier = file.read(_EARLIER_BYTES).decode(errors="replace").split("\n")
        except OSError as error:
            raise CannotRun(f"--app-log {path} cannot be read: {error.strerror}") from error
        self._lines = [line for line in earlier if any(records_of([line], None))]

    def lines(self) -> Sequence[str]:
        """Return the lines so far, oldest first, of at most 64 MB. A file that is gone has no new ones.

        A file that got shorter was emptied, as by a restart of the endpoint, and is read from its start.
        """
        try:
            with self._path.open("rb") as file:
                if file.seek(0, io.SEEK_END) < self._position:
                    self._position, self._unfinished = 0, b""
                file.seek(self._position)
                new = file.read(self._left)
        except OSError:
            return self._lines
        self._position += len(new)
        self._left -= len(new)
        *whole, self._unfinished = (self._unfinished + new).split(b"\n")
        self._lines += [line.decode(errors="replace") for line in whole]
        return self._lines

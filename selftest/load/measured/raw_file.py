"""The raw file of a run: one JSON object per line, written at once, so that an interrupted run keeps its results.

The first line is of kind ``run``, the last of kind ``end``; the others are of the kinds ``check``, ``signin``, ``load``
(the configuration), ``call`` (one per sign-in, with its attempts), ``memory``, ``cold_start``, ``load_end`` and
``cause`` (from the app's log). Names of times contain their unit. No line contains a token, a body or a name.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from selftest.load.measured.collect import RawLine, results_of
from selftest.report.document import ReportError, loads
from selftest.report.results import Results

RAW_NAME: Final = "run.jsonl"
#: Ten times the size of a call with all phases.
MAX_LINE_BYTES: Final = 256 * 1024
_START: Final = b'{"kind": "run"'
_BUFFER_BYTES: Final = 256 * 1024
#: How much of a run a power failure may lose, in seconds.
_FLUSH_S: Final = 1.0


class RawFile:
    """A raw file that is being written.

    Args:
        path: The path; an existing file is replaced, but not one that another run is writing.
        clock: Returns monotonic seconds.

    Raises:
        ReportError: The file cannot be written.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._flushed_s = clock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("a", encoding="ascii", buffering=_BUFFER_BYTES)
            _lock(self._file)
            self._file.truncate(0)
        except BlockingIOError as error:
            self._file.close()
            raise ReportError(
                f"another run is writing to {path.parent}: wait for its end, or name another folder with --out"
            ) from error
        except OSError as error:
            raise ReportError(f"{path} cannot be written: {error.strerror}") from error

    def write(self, line: RawLine) -> None:
        """Append a line.

        Raises:
            ReportError: The file cannot be written.
        """
        try:
            self._file.write(json.dumps(line, allow_nan=False) + "\n")
            if (now_s := self._clock()) - self._flushed_s > _FLUSH_S:
                self._file.flush()
                self._flushed_s = now_s
        except OSError as error:
            raise ReportError(f"{self._path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Write the buffered lines and close the file.

        Raises:
            ReportError: The file cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise ReportError(f"{self._path} cannot be written: {error.strerror}") from error


def _lock(file: IO[str]) -> None:
    """Lock a file until it is closed or the process ends; on Windows, which has no such lock, do nothing.

    Raises:
        BlockingIOError: Another process, or another file object of this one, has locked it.
    """
    with contextlib.suppress(ModuleNotFoundError):
        import fcntl  # noqa: PLC0415 - not available on Windows

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def looks_raw(path: Path) -> bool:
    """Whether a file starts like a raw file.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(_START)) == _START


def read_raw(path: Path) -> Results:
    """Return the results of a run from its raw file.

    Raises:
        OSError: The file cannot be read.
        ReportError: The file is invalid; the message has the line's number.
    """
    with path.open("rb") as file:
        return results_of(_lines(file))


def _lines(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the lines; an incomplete last line is left out."""
    count = 0
    while data := file.readline(MAX_LINE_BYTES + 1):
        count += 1
        if len(data) > MAX_LINE_BYTES:
            raise ReportError(f"line {count} is longer than {MAX_LINE_BYTES} bytes")
        if not data.endswith(b"\n"):
            return
        try:
            line = loads(data)
        except ReportError as error:
            raise ReportError(f"line {count} is {error}") from error
        if not isinstance(line, dict):
            raise ReportError(f"line {count} is not a JSON object")
        yield line

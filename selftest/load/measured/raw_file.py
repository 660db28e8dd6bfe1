"""The raw file of a run: one JSON object a line, written as it comes, so that a run that breaks off keeps what it has.

The first line is of kind ``run``, the last of kind ``end``; between them stand ``check``, ``signin``, ``load`` (what
was asked for), ``call`` (one a sign-in, with its attempts), ``memory``, ``cold_start`` and ``load_end``. Times carry
their unit in their name. No line holds a token, a body or a name.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from selftest.load.measured.collect import RawLine, results_of
from selftest.report.document import ReportError, loads
from selftest.report.results import Results

RAW_NAME: Final = "run.jsonl"
#: A call with all phases that are read takes less than a tenth.
MAX_LINE_BYTES: Final = 256 * 1024
_START: Final = b'{"kind": "run"'
_BUFFER_BYTES: Final = 256 * 1024
#: What a power cut may take.
_FLUSH_S: Final = 1.0


class RawFile:
    """A raw file that is being written.

    Args:
        path: Where; a file that is there is replaced.
        clock: Monotonic seconds.

    Raises:
        ReportError: It cannot be written.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._flushed_s = clock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("w", encoding="ascii", buffering=_BUFFER_BYTES)
        except OSError as error:
            raise ReportError(f"{path} cannot be written: {error.strerror}") from error

    def write(self, line: RawLine) -> None:
        """Append a line.

        Raises:
            ReportError: The disk is full, or gone.
        """
        try:
            self._file.write(json.dumps(line, allow_nan=False) + "\n")
            if (now_s := self._clock()) - self._flushed_s > _FLUSH_S:
                self._file.flush()
                self._flushed_s = now_s
        except OSError as error:
            raise ReportError(f"{self._path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Write what is left.

        Raises:
            ReportError: It cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise ReportError(f"{self._path} cannot be written: {error.strerror}") from error


def looks_raw(path: Path) -> bool:
    """Say whether a file starts as a raw file does.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(_START)) == _START


def read_raw(path: Path) -> Results:
    """Make the results of a run again from its raw file.

    Raises:
        OSError: It cannot be read.
        ReportError: It is broken; the message names the line.
    """
    with path.open("rb") as file:
        return results_of(_lines(file))


def _lines(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Read line by line; a last one that was not written to its end was cut off, and is left out."""
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
            raise ReportError(f"line {count} is no JSON object")
        yield line

"""One line on stderr that says how far a run is. Only a terminal gets it."""

import sys
from types import TracebackType
from typing import Final, Self, TextIO

_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Counts steps; leaves nothing behind.

    Args:
        total: How many steps there will be.
        stream: Where to, stderr by default.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._done = 0
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty()

    def __enter__(self) -> Self:
        self._show("")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write(_CLEAR)

    def step(self, name: str) -> None:
        """Say that one more is done, and which."""
        self._done += 1
        self._show(name)

    def _show(self, name: str) -> None:
        self._write(f"{_CLEAR}{self._done}/{self._total} {name}")

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(text)
            self._stream.flush()

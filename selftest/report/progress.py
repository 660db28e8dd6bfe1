"""Show the progress of a run in one line on stderr, if that is a terminal."""

import sys
from typing import Final, Self, TextIO

_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Counts steps, and clears its line at the end."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._done = 0
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty()

    def __enter__(self) -> Self:
        self._show("")
        return self

    def __exit__(self, *_: object) -> None:
        self._write(_CLEAR)

    def step(self, name: str) -> None:
        """Count one more step and show its name."""
        self._done += 1
        self._show(name)

    def say(self, text: str) -> None:
        """Print a line of its own; this one is for files, too."""
        self._write(_CLEAR)
        print(text, file=self._stream, flush=True)

    def wait(self, left_s: float) -> None:
        """Show how long the current step still waits, in seconds."""
        self._show(f"waiting, {max(0.0, left_s):.0f} s left")

    def _show(self, name: str) -> None:
        self._write(f"{_CLEAR}{self._done}/{self._total} {name}")

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(text)
            self._stream.flush()

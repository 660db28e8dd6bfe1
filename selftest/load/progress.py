"""The progress line on stderr while a load runs: calls, misses and remaining time."""

import asyncio
import sys
from typing import Any, Final, TextIO

_CLEAR: Final = "\r\x1b[K"
_EVERY_S: Final = 0.5


class LoadProgress:
    """Counts calls and shows the progress on a terminal."""

    def __init__(
        self, what: str, *, rate_per_s: float, total: int, seconds: float, stream: TextIO | None = None
    ) -> None:
        self._what = what
        self._rate_per_s = rate_per_s
        self._total = total
        self._seconds = seconds
        self._stream = sys.stderr if stream is None else stream
        self._done = 0
        self._missed = 0

    def take(self, line: dict[str, Any]) -> None:
        """Count one call."""
        attempts = line["attempts"]
        self._done += 1
        self._missed += not attempts or attempts[0]["outcome"] != "in-budget"

    def text(self, elapsed_s: float) -> str:
        """Return the progress as text."""
        left_s = max(0.0, self._seconds - elapsed_s)
        return (
            f"{self._what} {self._rate_per_s:g}/s  {self._done:,} of {self._total:,} calls  "
            f"{self._missed:,} missed  {left_s:.0f} s left"
        )

    async def show(self) -> None:
        """Write the line twice a second until canceled, and then clear it."""
        if not self._stream.isatty():
            return
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        try:
            while True:
                self._stream.write(_CLEAR + self.text(loop.time() - start_s))
                self._stream.flush()
                await asyncio.sleep(_EVERY_S)
        finally:
            self._stream.write(_CLEAR)
            self._stream.flush()

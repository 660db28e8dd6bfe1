"""The resident memory of the endpoint's process under load, if the harness runs it (Linux only: from /proc).

Source: proc(5), ``/proc/pid/statm``, ``/proc/pid/status`` (VmHWM), ``/proc/pid/clear_refs`` (5 resets VmHWM).
"""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

#: Enough samples for a chart; more than one per second shows no more.
_SAMPLES: Final = 400
_MIN_INTERVAL_S: Final = 1.0
_PEAK: Final = re.compile(r"VmHWM:\s+([0-9]+) kB")


def resident_kb(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Return the resident memory of a process in kB (1024 bytes), or None if the system does not report it."""
    try:
        pages = int((proc / str(pid) / "statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


class PeakGrowth:
    """The peak growth of a process's resident memory, however short, since the start.

    If the system does not allow resetting the earlier peak, only growth above that peak is seen.
    """

    def __init__(self, pid: int, proc: Path = Path("/proc")) -> None:
        self._status = proc / str(pid) / "status"
        with contextlib.suppress(OSError):
            (proc / str(pid) / "clear_refs").write_text("5", encoding="ascii")
        self._before_kb = self._peak_kb()

    def __call__(self) -> int | None:
        """Return the growth in kB (1024 bytes) so far, or None if the system does not report it."""
        now_kb = self._peak_kb()
        return None if now_kb is None or self._before_kb is None else now_kb - self._before_kb

    def _peak_kb(self) -> int | None:
        try:
            found = _PEAK.search(self._status.read_text(encoding="utf-8"))
        except OSError:
            return None
        return None if found is None else int(found[1])


async def watch_memory(
    pid: int,
    duration_s: float,
    take: Callable[[dict[str, Any]], None],
    *,
    clock: Callable[[], float] = time.perf_counter,
    proc: Path = Path("/proc"),
) -> None:
    """Sample the memory until canceled, or until the process cannot be read."""
    start_s = clock()
    interval_s = max(_MIN_INTERVAL_S, duration_s / _SAMPLES)
    while (found_kb := resident_kb(pid, proc)) is not None:
        take({"kind": "memory", "at_s": round(clock() - start_s, 3), "resident_kb": found_kb})
        await asyncio.sleep(interval_s)

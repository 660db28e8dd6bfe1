"""The resident memory of the endpoint's process while it is under load, where it is ours (Linux: from /proc)."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

#: Four hundred samples are a picture; more often than once a second shows nothing more.
_SAMPLES: Final = 400
_MIN_INTERVAL_S: Final = 1.0


def resident_kb(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Give the resident memory of a process in kB (1024 bytes); None where the system does not tell."""
    try:
        pages = int((proc / str(pid) / "statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


async def watch_memory(
    pid: int,
    duration_s: float,
    take: Callable[[dict[str, Any]], None],
    *,
    clock: Callable[[], float] = time.perf_counter,
    proc: Path = Path("/proc"),
) -> None:
    """Sample until cancelled, or until the process cannot be seen."""
    start_s = clock()
    interval_s = max(_MIN_INTERVAL_S, duration_s / _SAMPLES)
    while (found_kb := resident_kb(pid, proc)) is not None:
        take({"kind": "memory", "at_s": round(clock() - start_s, 3), "resident_kb": found_kb})
        await asyncio.sleep(interval_s)

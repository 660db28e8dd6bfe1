"""The machine: which processors a process may use, what it has used, and how it is named in a result.

Linux only: processor time and memory are read from ``/proc`` (proc(5): ``stat`` fields 14 and 15, ``status`` VmRSS).
"""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PACKAGES: Final = (
    "azure-functions-runtime",
    "PyJWT",
    "cryptography",
    "uvloop",
    "uvicorn",
    "httptools",
    "fastapi",
    "fastapi-azure-auth",
    "aiohttp",
    "azure-data-tables",
    "msgraph-sdk",
)


def is_measurable() -> bool:
    """Whether this machine reports the resources of a process."""
    return Path("/proc/self/stat").exists()


def processors() -> tuple[int, int] | None:
    """Choose a processor for the load and another for the server; None where there is but one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[-1]) if len(usable) > 1 else None


def pin(pid: int, processor: int) -> None:
    """Keep a process, with the threads that it has, on one processor."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {processor})


def processor_s(pid: int) -> float:
    """Return the processor time of a process, user and system, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def memory_mib(pid: int) -> float:
    """Return the resident memory of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def describe() -> str:
    """Name processor, memory, system and Python; neither host nor user."""
    model = next(iter(_cpu_models()), platform.machine())
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    count = len(os.sched_getaffinity(0))
    return (
        f"{count} processors ({model}), {gib:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def versions() -> str:
    """Name what is measured, with versions."""
    return ", ".join(f"{name} {found}" for name in _PACKAGES if (found := _version(name)))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cpu_models() -> Iterable[str]:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            yield value.strip()

"""The number of connections that this process may open.

Systems allow 1,024 open files by default and more on request. A connection that cannot be opened for lack of a file
looks like an unreachable endpoint, so the limit is raised before a run, and the run is limited to what is available.
"""

from typing import Final

#: Other open files: the app's pipes, the raw file, the emulators.
_OTHER_FILES: Final = 128


def allow_connections(wanted: int) -> int:
    """Raise the limit of open files as far as needed and allowed, and return how many connections are possible.

    Processes that are started later inherit the limit.
    """
    try:
        import resource  # noqa: PLC0415 - not available on Windows, which has no such limit
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    granted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    except (OSError, ValueError):
        granted = soft
    return max(1, min(wanted, granted - _OTHER_FILES))

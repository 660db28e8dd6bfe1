"""How many connections this process may hold: a generator that runs out of them would blame the endpoint.

Systems allow 1,024 open files by default and more on request. A connection that cannot be opened for want of a file
looks like an endpoint that cannot be reached, so the limit is raised before a run, and the run is bounded by what there
is.
"""

from typing import Final

#: Everything else that is open: the app's pipes, the raw file, servers beside us.
_OTHER_FILES: Final = 128


def allow_connections(wanted: int) -> int:
    """Raise the limit of open files as far as needed and allowed, and give how many connections then fit.

    Processes that are started later inherit the limit.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows, which has no such limit
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

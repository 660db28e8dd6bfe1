"""Where and with what a run was made: what a reader needs to repeat it, and nothing about who made it."""

import os
import platform

from yarl import URL

from selftest import __version__


def tool() -> dict[str, str]:
    """Return the tool's name and version."""
    return {"name": "entra-selftest", "version": __version__}


def environment() -> dict[str, str]:
    """Name what the numbers depend on; neither host nor user."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count() or "unknown"),
    }


def target(url: str, mode: str) -> dict[str, str]:
    """Name the endpoint without its query, which can hold a function key."""
    return {"url": str(URL(url).with_query(None)) if url else "not started", "mode": mode}

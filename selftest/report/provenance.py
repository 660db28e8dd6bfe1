"""The environment of a run: what a reader needs to repeat it, and nothing about a person."""

import os
import platform

from yarl import URL

from selftest import __version__


def tool() -> dict[str, str]:
    """Return the name and the version of the tool."""
    return {"name": "entra-selftest", "version": __version__}


def environment() -> dict[str, str]:
    """Return what the numbers depend on, without the names of host and user."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count() or "unknown"),
    }


def target(url: str, mode: str) -> dict[str, str]:
    """Return the endpoint without its query, which can contain a function key."""
    return {"url": str(URL(url).with_query(None)) if url else "not started", "mode": mode}

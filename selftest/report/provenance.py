"""Where and with what a run was made: what a reader needs to repeat it, and nothing about who made it."""

import os
import platform
import tomllib
from pathlib import Path
from typing import Final

from yarl import URL

_PYPROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"


def tool() -> dict[str, str]:
    """Name the harness and its version."""
    project = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]
    return {"name": project["name"], "version": project["version"]}


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

"""Files that others publish and that are not part of this project: found by a path from outside, or not at all."""

import os
from pathlib import Path


def find_published(root: Path, name: str, variable: str, given: Path | None) -> Path | None:
    """Find a published file.

    Args:
        root: the checkout; the file may be in a ``data`` directory beside it, or in one of its neighbours'.
        name: the file's name there.
        variable: the environment variable that names it.
        given: where it is, if somebody said so.
    """
    named = given or (Path(value) if (value := os.environ.get(variable)) else None)
    if named is not None:
        return named if named.is_file() else None
    beside = root.resolve().parent
    return next((path for pattern in ("data", "*/data") for path in beside.glob(f"{pattern}/{name}")), None)

"""The files that the tool keeps for its user from run to run: private, and written as a whole or not at all.

They are the private keys of the emulated tenant, which sign nothing that counts outside this machine, and what the
tool remembers about endpoints. The folder is ``entra-selftest`` in ``$XDG_STATE_HOME``, or in the platform's place.
"""

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from selftest.base.bounded_file import FileError, read_text
from selftest.base.program import DISTRIBUTION

#: Much more than any of these files has.
_MAX_BYTES: Final = 1 << 20


def state_folder() -> Path:
    """Return the folder of this user's state, which need not exist."""
    chosen = Path(os.environ.get("XDG_STATE_HOME") or ".")
    if chosen.is_absolute():  # a relative path has to be ignored (XDG Base Directory Specification)
        return chosen / DISTRIBUTION
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / DISTRIBUTION
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / DISTRIBUTION
    return Path.home() / ".local" / "state" / DISTRIBUTION


def write_private(path: Path, text: str, *, keep_existing: bool = False) -> bool:
    """Write a file that only its owner can read; another process sees the old text or the new one.

    Args:
        path: The file; its folder is made if there is none.
        text: The content.
        keep_existing: Whether a file that is there, such as one that another process just wrote, stays as it is.

    Returns:
        Whether the file was written.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp makes the file with mode 0600.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if keep_existing:
            with contextlib.suppress(FileExistsError):
                os.link(name, path)
                return True
            return False
        Path(name).replace(path)
        return True
    finally:
        Path(name).unlink(missing_ok=True)


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file.

    Raises:
        FileError: The file cannot be read, or holds no JSON object.
    """
    try:
        value = json.loads(read_text(path, _MAX_BYTES))
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is not JSON") from error
    if not isinstance(value, dict):
        raise FileError(f"{path} holds no JSON object")
    return value

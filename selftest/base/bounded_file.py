"""Read a file that the user named: size-limited, UTF-8, with an error that names the file instead of a traceback."""

import json
from pathlib import Path
from typing import Any, Never

from selftest.base.cannot_run import CannotRun


class FileError(CannotRun):
    """A file cannot be read or has unexpected content. The message names the file and quotes none of it."""


def read_text(path: Path, max_bytes: int) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        FileError: The file is missing, is larger than `max_bytes`, is not UTF-8 or is empty.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise FileError(f"{path} cannot be read: {reason}") from error
    if len(data) > max_bytes:
        raise FileError(f"{path} has more than {max_bytes} bytes, which is more than such a file can have")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    if not text.strip():
        raise FileError(f"{path} is empty; was it written completely?")
    return text


def parse_json(text: str, path: Path) -> Any:
    """Return the text of a file as JSON, without its extensions NaN and Infinity.

    Raises:
        FileError: It is something else; the message says where, and quotes none of it.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise FileError(f"{path} is nested too deeply to be read") from error
    except ValueError as error:
        raise FileError(f"{path} should be JSON and is not: {_where(error)}; is it complete?") from error


def _where(error: ValueError) -> str:
    """Return what is wrong and where, without the text that is there."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (line {error.lineno}, column {error.colno})"
    return "NaN or Infinity" if "constant" in str(error) else "a number that is too long"


def _no_constant(name: str) -> Never:
    raise ValueError(f"the constant {name}")

"""Reading a file that somebody was given: bounded, UTF-8, and with an error that names it instead of a traceback."""

from pathlib import Path

from selftest.base.cannot_run import CannotRun


class FileError(CannotRun):
    """Raised when a file cannot be read or is not what it has to be; the message names it and shows none of it."""


def read_text(path: Path, max_bytes: int) -> str:
    """Read a text file.

    Raises:
        FileError: There is none, it is larger than ``max_bytes``, or it is not UTF-8.
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
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error

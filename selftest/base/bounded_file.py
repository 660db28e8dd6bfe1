"""Read a file that the user named: size-limited, UTF-8, with an error that names the file instead of a traceback."""

from pathlib import Path

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

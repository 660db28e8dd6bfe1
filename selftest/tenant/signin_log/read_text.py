"""Reading of an exported file: bounded in size, decoded, and refused with a reason."""

from typing import Final

from selftest.base import bounded_file
from selftest.base.bounded_file import FileError

#: A complete sign-in takes some 6 KB in JSON, so this is about ten thousand; the portal exports no more.
MAX_INPUT_BYTES: Final = 64 * 1024 * 1024


class InputError(FileError):
    """A file cannot be used; the message names it, the place in it, the reason and what to do."""

    def __init__(self, path: str, reason: str, *, place: str = "") -> None:
        where = f"{path}, {place}" if place else path
        super().__init__(f"{where}: {reason}")


def read_text(path: str, *, max_bytes: int = MAX_INPUT_BYTES) -> str:
    """Read a file, or standard input where the path is ``-``, as text.

    Raises:
        FileError: The file cannot be read, is too large, is not text, or is empty.
    """
    return bounded_file.read_text(path, max_bytes, if_larger="export a shorter time, or fewer columns")

"""Reading of an exported file: bounded in size, decoded, and refused with a reason."""

import codecs
import sys
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun

#: A complete sign-in takes some 6 KB in JSON, so this is about ten thousand; the portal exports no more.
MAX_INPUT_BYTES: Final = 64 * 1024 * 1024

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PACKED: Final = {
    b"PK\x03\x04": "a workbook or an archive: export it as CSV or JSON, or unpack it",
    b"\x1f\x8b": "compressed: unpack it first",
}


class InputError(CannotRun):
    """A file cannot be used; the message names it, the place in it, the reason and what to do."""

    def __init__(self, path: str, reason: str, *, place: str = "") -> None:
        where = f"{path}, {place}" if place else path
        super().__init__(f"{where}: {reason}")


def read_text(path: str, *, max_bytes: int = MAX_INPUT_BYTES) -> str:
    """Read a file, or standard input where the path is ``-``, as text.

    UTF-8 with or without a byte order mark, and UTF-16 with one, as Windows PowerShell writes it.

    Raises:
        InputError: The file cannot be read, is too large, is not text, or is empty.
    """
    data = _read_bytes(path, max_bytes)
    if len(data) > max_bytes:
        raise InputError(path, f"more than {max_bytes // 2**20} MiB; export a shorter time, or fewer columns")
    for magic, reason in _PACKED.items():
        if data.startswith(magic):
            raise InputError(path, f"it is {reason}")
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    try:
        text = data.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            path, f"not {encoding.upper()} text; save it as UTF-8", place=f"byte {error.start + len(mark)}"
        ) from error
    if "\0" in text:
        raise InputError(path, "binary data, not a text export", place=f"character {text.index(chr(0))}")
    if not text.strip():
        raise InputError(path, "empty; was the export finished?")
    return text


def _read_bytes(path: str, max_bytes: int) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read(max_bytes + 1)
        with Path(path).open("rb") as stream:
            return stream.read(max_bytes + 1)
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a path with a null character
        raise InputError(repr(path), f"not a path: {error}") from error

"""Read a file that the user named: size-limited, decoded, with an error that names the file instead of a traceback.

People save files with an editor, with a download of the portal, and with ``>``, which in Windows PowerShell writes
UTF-16: each of these is read.
"""

import codecs
import json
import sys
from pathlib import Path
from typing import Any, Final, Never

from selftest.base.cannot_run import CannotRun

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PACKED: Final = {
    b"PK\x03\x04": "a workbook or an archive: export it as CSV or JSON, or unpack it",
    b"\x1f\x8b": "compressed: unpack it first",
}


class FileError(CannotRun):
    """A file cannot be read or has unexpected content. The message names the file and quotes none of it."""


def read_text(path: Path | str, max_bytes: int, *, if_larger: str = "is it the right file?") -> str:
    """Return the text of a file, or of standard input where the path is the text ``-``, without a byte order mark.

    Args:
        path: The file.
        max_bytes: What such a file can have at most.
        if_larger: What to do where it has more.

    Raises:
        FileError: The file is missing, is larger than `max_bytes`, is not text or is empty.
    """
    data = _read_bytes(path, max_bytes)
    if len(data) > max_bytes:
        raise FileError(f"{path} has more than {_shown_size(max_bytes)}; {if_larger}")
    for magic, reason in _PACKED.items():
        if data.startswith(magic):
            raise FileError(f"{path} is {reason}")
    try:
        text = decoded(data)
    except UnicodeDecodeError as error:
        encoding = encoding_of(data)[0].upper()
        raise FileError(f"{path} is not {encoding} (byte {error.start}); save it as UTF-8") from error
    if "\0" in text:
        raise FileError(f"{path} is binary data and no text (character {text.index(chr(0))})")
    if not text.strip():
        raise FileError(f"{path} is empty; was it written completely?")
    return text


def decoded(data: bytes, *, errors: str = "strict") -> str:
    """Return bytes as text: UTF-8 or UTF-16, with a byte order mark or without.

    Raises:
        UnicodeDecodeError: They are neither; only if ``errors`` is strict.
    """
    encoding, mark = encoding_of(data)
    return data.decode(encoding, errors).removeprefix("\ufeff" if mark else "")


def encoding_of(data: bytes) -> tuple[str, bytes]:
    """Return the encoding of a text, and its byte order mark, which may be empty.

    Without a mark it is seen by the first character, which is one of ASCII in every form that is read here.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding, mark
    first = data[:2]
    if len(first) == 2 and first.count(0) == 1:
        return "utf-16-le" if first[1] == 0 else "utf-16-be", b""
    return "utf-8", b""


def _shown_size(size: int) -> str:
    for unit, name in ((2**20, "MiB"), (2**10, "KiB")):
        if size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} bytes"


def _read_bytes(path: Path | str, max_bytes: int) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read(max_bytes + 1)
        with Path(path).open("rb") as stream:
            return stream.read(max_bytes + 1)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a path with a null character
        raise FileError(f"{str(path)!r} cannot be read: no such path") from error


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

"""What came over the wire, as text for the page: laid out where it is JSON, cut where it is long.

Nothing here escapes: the templates do, and they let no compact token through either
(`selftest.playground.html.templates`).
"""

import json
from typing import Final

from selftest.play.caller import Attempt

_MAX_CHARACTERS: Final = 8_000
#: A body over this is shown as it came: laying out a megabyte takes longer than reading its beginning.
_MAX_LAID_OUT_BYTES: Final = 64 * 1024
_MAX_HEADERS: Final = 40
_MAX_HEADER_CHARACTERS: Final = 500


def laid_out(value: object) -> str:
    """Write a value as JSON for reading."""
    return cut(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def body_text(body: bytes) -> str:
    """Write a body; what is not UTF-8 is written out byte by byte."""
    if len(body) <= _MAX_LAID_OUT_BYTES:
        try:
            return laid_out(json.loads(body))
        except (ValueError, RecursionError):
            pass
    text = body[: _MAX_CHARACTERS * 4].decode("utf-8", "backslashreplace")
    return cut(text, len(body))


def cut(text: str, length: int | None = None) -> str:
    """Keep the beginning of a long text and say how much is not shown."""
    if len(text) <= _MAX_CHARACTERS:
        return text
    return f"{text[:_MAX_CHARACTERS]}\n... and {max(length or 0, len(text)) - _MAX_CHARACTERS} more"


def header_lines(attempt: Attempt) -> list[str]:
    """Write the answer's headers, a line each."""
    return [f"{name}: {value[:_MAX_HEADER_CHARACTERS]}" for name, value in attempt.headers[:_MAX_HEADERS]]


def value_text(value: object) -> str:
    """Write a claim's value: text as it is, everything else as JSON on one line."""
    return cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))

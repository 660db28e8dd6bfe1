"""The contents of requests and responses as text for the page: JSON is indented, long texts are cut.

Nothing is escaped here: the templates escape every text and omit compact tokens (`selftest.playground.html.templates`).
"""

import json
from typing import Final

from selftest.play.caller import Attempt

_MAX_CHARACTERS: Final = 8_000
#: A larger body is shown as received: indenting a megabyte takes longer than reading its beginning.
_MAX_INDENTED_BYTES: Final = 64 * 1024
_MAX_HEADERS: Final = 40
_MAX_HEADER_CHARACTERS: Final = 500


def indented_json(value: object) -> str:
    """Return a value as indented JSON."""
    return cut(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def body_text(body: bytes) -> str:
    """Return a body as text; bytes that are not UTF-8 are shown as escapes."""
    if len(body) <= _MAX_INDENTED_BYTES:
        try:
            return indented_json(json.loads(body))
        except (ValueError, RecursionError):
            pass
    text = body[: _MAX_CHARACTERS * 4].decode("utf-8", "backslashreplace")
    return cut(text, len(body))


def cut(text: str, length: int | None = None) -> str:
    """Return the beginning of a long text, with the number of characters that are not shown."""
    if len(text) <= _MAX_CHARACTERS:
        return text
    return f"{text[:_MAX_CHARACTERS]}\n... and {max(length or 0, len(text)) - _MAX_CHARACTERS} more"


def header_lines(attempt: Attempt) -> list[str]:
    """Return the headers of a response, one line each."""
    return [f"{name}: {value[:_MAX_HEADER_CHARACTERS]}" for name, value in attempt.headers[:_MAX_HEADERS]]


def value_text(value: object) -> str:
    """Return a claim's value: text as it is, any other value as JSON on one line."""
    return cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))

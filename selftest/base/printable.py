"""Text from elsewhere made safe for a terminal: no control characters, no bearer token, no secret of a URL."""

import re
from typing import Final

from yarl import URL

_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


def shown_url(url: str) -> str:
    """Give a URL without the values of its query, one of which may be a function key."""
    parsed = URL(url)
    return str(parsed.with_query([(name, "REDACTED") for name in parsed.query])) if parsed.query else url


def printable(text: str) -> str:
    """Write every character that a terminal would act on as an escape; line breaks stay."""
    return "".join(
        character if character == "\n" or character.isprintable() else f"\\u{ord(character):04x}"
        for character in redacted(text)
    )


def redacted(text: str) -> str:
    """Write ``$TOKEN`` for every compact token."""
    return _TOKEN.sub("$TOKEN", text)

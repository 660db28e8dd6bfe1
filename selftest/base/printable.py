"""Make text from elsewhere safe to show: no control characters, no bearer token, no secret of a URL.

Escaping for the syntax of a form (HTML, XML) is the job of that form. This module handles characters that no syntax
forbids.
"""

import re
from typing import Final

_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


def shown_url(url: str) -> str:
    """Return a URL with the values of its query replaced, one of which may be a function key."""
    from yarl import URL  # noqa: PLC0415 - most commands show text and no URL

    parsed = URL(url)
    return str(parsed.with_query([(name, "REDACTED") for name in parsed.query])) if parsed.query else url


def visible(text: str) -> str:
    """Return the text with everything escaped that a terminal or a browser would obey; line breaks stay.

    Source: Unicode Technical Report 36, section 2.5, and CVE-2021-42574 ("Trojan Source").
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def printable(text: str) -> str:
    """Return the text as `visible` does, without its bearer tokens."""
    return visible(redacted(text))


def redacted(text: str) -> str:
    """Return the text with ``$TOKEN`` in place of every compact token."""
    return _TOKEN.sub("$TOKEN", text)

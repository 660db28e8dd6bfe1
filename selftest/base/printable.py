"""Make text from elsewhere safe to show: no control characters, no bearer token, no secret of a URL.

Escaping for the syntax of a form (HTML, XML) is the job of that form. This module handles characters that no syntax
forbids.
"""

import re
from typing import Final

#: A text that starts as the header of a token, with up to four segments after it. It also matches what is no token,
#: because a pattern that fails at the end of a long word would be tried again from every letter of that word.
_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_-]{8,}+((?:\.[A-Za-z0-9_-]*+){0,4}+)")
#: The claims of a token whose signature was cut off have more characters than the name of a file or a member.
_CUT_CLAIMS_CHARACTERS: Final = 24


def shown_url(url: str) -> str:
    """Return a URL with the values of its query replaced, one of which may be a function key."""
    from yarl import URL  # noqa: PLC0415 - most commands show text and no URL

    parsed = URL(url)
    return str(parsed.with_query([(name, "REDACTED") for name in parsed.query])) if parsed.query else url


def visible(text: str) -> str:
    """Return the text with everything escaped that a terminal or a browser would obey; line breaks stay.

    What stays is allowed in XML, too (XML 1.0, section 2.2).

    Source: Unicode Technical Report 36, section 2.5, and CVE-2021-42574 ("Trojan Source").
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def printable(text: str) -> str:
    """Return the text as `visible` does, without its bearer tokens."""
    return visible(redacted(text))


def redacted(text: str) -> str:
    """Return the text with ``$TOKEN`` in place of every compact token, also of one that was cut in its claims."""
    return _TOKEN.sub(lambda found: "$TOKEN" if _is_token(found[1]) else found[0], text)


def _is_token(after_header: str) -> bool:
    """Whether the segments after a header are those of a token; the signature may be empty."""
    claims, dot, _ = after_header[1:].partition(".")
    return bool(claims and dot) or len(claims) >= _CUT_CLAIMS_CHARACTERS

"""Find the ids in what somebody pasted: a line of a log, of an error page or of a mail.

An error page gives one line with the code, a text, a trace id, a correlation id and a time. The code is what can be
explained, and the correlation id is what the sign-in log is searched by.
"""

import re
from collections.abc import Sequence
from typing import Final

#: What a person types for an id: T23, 1003005, AADSTS50146, or the start of one.
_ID: Final = re.compile(r"(?:AADSTS|AADB2C)?\d+|[A-Za-z]\d*", re.IGNORECASE)
_CODE: Final = re.compile(r"\bAADSTS\d{4,8}\b|\bAADB2C\d{4,8}\b|\b1003\d{3}\b", re.IGNORECASE)
_CORRELATION: Final = re.compile(
    r"correlation[\s_-]*id\W{1,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b", re.IGNORECASE
)
#: More than any error page says.
_MAX_CHARACTERS: Final = 20_000


def is_pasted(words: Sequence[str]) -> bool:
    """Say whether these words are text around ids rather than ids alone."""
    return not all(_ID.fullmatch(word.strip()) for word in words)


def codes_in(text: str) -> tuple[str, ...]:
    """Find the codes that a text names, each once, in their order."""
    found = _CODE.findall(text[:_MAX_CHARACTERS])
    return tuple(dict.fromkeys(code.upper() for code in found))


def correlation_id_in(text: str) -> str | None:
    """Find the correlation id that a text names, in lower case."""
    found = _CORRELATION.search(text[:_MAX_CHARACTERS])
    return None if found is None else found[1].lower()

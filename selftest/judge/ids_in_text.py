"""Find ids in pasted text: a line of a log, of an error page or of a mail.

An error page has one line with the code, a text, a trace id, a correlation id and a time. The code can be explained,
and the sign-in log can be searched by the correlation id.
"""

import contextlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from selftest.judge.app_cause import cause_of
from selftest.judge.app_line import LOOP_BLOCKED, app_line
from selftest.judge.codes import Code

#: A typed id: T23, 1003005, AADSTS50146, or the start of one.
_ID: Final = re.compile(r"(?:AADSTS|AADB2C)?\d+|[A-Za-z]\d*", re.IGNORECASE)
_CODE: Final = re.compile(r"\bAADSTS\d{4,8}\b|\bAADB2C\d{4,8}\b|\b1003\d{3}\b", re.IGNORECASE)
_CORRELATION: Final = re.compile(
    r"correlation[\s_-]*id\W{1,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b", re.IGNORECASE
)
#: A code in a line of this project's endpoint has an underscore, or is a word of its own.
_WORD: Final = re.compile(r"[a-z]+(?:_[a-z]+)+|\boverloaded\b")
#: More than any error page contains.
_MAX_CHARACTERS: Final = 20_000


def is_pasted(words: Sequence[str]) -> bool:
    """Whether the words are text that contains ids, rather than ids alone."""
    return not all(_ID.fullmatch(word.strip()) for word in words)


def codes_in(text: str) -> tuple[str, ...]:
    """Return the codes in a text, each once, in their order."""
    found = _CODE.findall(text[:_MAX_CHARACTERS])
    return tuple(dict.fromkeys(code.upper() for code in found))


def codes_meant_by(text: str, codes: Mapping[int | str, Code]) -> tuple[str, ...]:
    """Return the codes whose name or wording is in a text, for texts that lost their number."""
    said = " ".join(text[:_MAX_CHARACTERS].lower().split())
    named = set(re.findall(r"[a-z0-9_]{8,}", said))
    return tuple(
        str(code)
        for code, entry in codes.items()
        if entry.name.lower() in named or any(phrase in said for phrase in entry.says)
    )


def outcomes_in(words: Sequence[str], *, is_outcome: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the codes of the endpoint's log that the words are, or that a line of that log among them has.

    In a sentence only codes with an underscore count, and the first of them: "claims" is a word of many texts.
    """
    text = " ".join(words)
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(record := json.loads(text[text.index("{") : text.rindex("}") + 1]), dict):
            line = app_line(record)
            cause = cause_of([line])
            code = LOOP_BLOCKED if cause is not None and cause.has(LOOP_BLOCKED) else line.code
            return (code,) if is_outcome(code) else ()
    typed = [word.strip().lower() for word in words]
    if all(is_outcome(word) or _ID.fullmatch(word) for word in typed):
        return tuple(word for word in dict.fromkeys(typed) if is_outcome(word))
    return tuple(filter(is_outcome, _WORD.findall(text[:_MAX_CHARACTERS])))[:1]


def correlation_id_in(text: str) -> str | None:
    """Return the correlation id in a text, in lower case; None without one."""
    found = _CORRELATION.search(text[:_MAX_CHARACTERS])
    return None if found is None else found[1].lower()

"""Find ids in pasted text: a line of a log, of an error page or of a mail.

An error page has one line with the code, a text, a trace id, a correlation id and a time. The code can be explained,
and the sign-in log can be searched by the correlation id.
"""

import contextlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from selftest.judge.app_cause import cause_of
from selftest.judge.app_line import LOOP_BLOCKED, app_line
from selftest.judge.codes import Code

#: A typed id: T23, 1003005, AADSTS50146, or the start of one.
_ID: Final = re.compile(r"(?:AADSTS|AADB2C)?\d+|[A-Za-z]\d*", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[\s,;]+")
#: What names the number after it as a code: ``AADSTS``, also mistyped, and the members and columns of sign-in logs. A
#: number that nothing names may be a port or a size.
_NAMED: Final = re.compile(
    r"(?:AADST?S?|error[\s_-]?(?:codes?|number)?|failure[\s_-]?codes?|(?<!\w)(?<!\w[ _-])codes?|result[\s_-]?type)"
    r"[\"'\s:=\[(#_-]{0,6}(?P<numbers>\d{4,8}(?![\w-])(?:[\"']?\s?,\s?[\"']?\d{4,8}(?![\w-]))*)"
    r"|\b(?P<code>AADSTS\d{4,8}|AADB2C\d{4,8}|1003\d{3})\b"
    r"|(?<![\w-])(?P<check>[BCDFILT]\d{2,3})(?![\w-])",
    re.IGNORECASE,
)
#: A number that a text starts with, as a row of the portal or of an error page does: "1100001 Non-retryable".
_FIRST: Final = re.compile(r"\W*(\d{5,8})(?=\W*$|[:;.,)\]]*\s*-?\s*[\"'(]?[A-Z][a-z])")
_NUMBER: Final = re.compile(r"(?<![\w.:-])\d{5,8}(?![\w-])")
#: Spaces that mails and web pages put inside a number.
_SPACE_IN_NUMBER: Final = re.compile(r"(?<=\d)[\u00a0\u2007\u202f](?=\d)")
_PLAIN: Final = str.maketrans("\u2018\u2019\u201c\u201d\u2010\u2011\u2013", "''\"\"---")
_CAMEL: Final = re.compile(r"[A-Z][a-z0-9]+|[A-Z]+(?![a-z])")
#: A name of fewer words may be in a text by chance.
_MIN_NAME_WORDS: Final = 3
_CORRELATION: Final = re.compile(
    r"correlation[\s_-]*id\W{1,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b", re.IGNORECASE
)
#: A code in a line of this project's endpoint has an underscore, or is a word of its own.
_WORD: Final = re.compile(r"[a-z]+(?:_[a-z]+)+|\boverloaded\b")
#: More than any error page contains.
_MAX_CHARACTERS: Final = 20_000


def plain_text(text: str) -> str:
    """Return a pasted text as it was typed: without invisible characters, and with plain quotes, hyphens and spaces."""
    seen = "".join(c for c in text[:_MAX_CHARACTERS] if unicodedata.category(c) != "Cf").translate(_PLAIN)
    return " ".join(_SPACE_IN_NUMBER.sub("", seen).split())


def typed_ids(text: str, *, is_outcome: Callable[[str], bool]) -> tuple[str, ...] | None:
    """Return the ids that a text is a list of; None if it is a text that may contain ids."""
    words = tuple(word for word in _SEPARATORS.split(text) if word)
    return words if all(_ID.fullmatch(word) or is_outcome(word.lower()) for word in words) else None


def ids_in(text: str, *, is_known: Callable[[str], bool]) -> tuple[tuple[str, ...], str]:
    """Return the ids that a text names, each once and in their order, and the text without them.

    Args:
        text: As `plain_text` returns it.
        is_known: Whether a code exists. One that does not exist is returned, too, where the text calls it a code.
    """
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        if match["check"]:
            found.append(match["check"])
        elif match["code"]:
            found.append(match["code"].upper())
        else:
            prefix = "" if not match[0].upper().startswith("AAD") else "AADSTS"
            found.extend(f"{prefix}{number}" for number in re.findall(r"\d+", match["numbers"]))
        return " "

    first = _FIRST.match(text)
    if first is not None and is_known(first[1]) and _NUMBER.findall(text) == [first[1]]:
        found.append(first[1])
        text = text[first.end() :]
    rest = _NAMED.sub(take, text)
    return tuple(dict.fromkeys(found)), rest


def numbers_in(text: str, *, is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the known codes in a text that nothing in it calls a code: each may be another number."""
    return tuple(dict.fromkeys(filter(is_known, _NUMBER.findall(text))))


def codes_meant_by(text: str, codes: Mapping[int | str, Code]) -> tuple[str, ...]:
    """Return the codes whose name or wording is in a text, for texts that lost their number."""
    said = plain_text(text).lower()
    named = set(re.findall(r"[a-z0-9_]{8,}", said))
    said = said.replace("-", " ")
    return tuple(
        str(code)
        for code, entry in codes.items()
        if entry.name.lower() in named
        or _says_name(said, entry.name)
        or any(phrase.replace("-", " ") in said for phrase in entry.says)
    )


def _says_name(said: str, name: str) -> bool:
    """Whether a text has the words of a name: "custom extension timed out"."""
    words = _CAMEL.findall(name)
    is_name = len(words) >= _MIN_NAME_WORDS and "".join(words) == name
    return is_name and re.search(rf"\b{'[ _]'.join(words)}\b", said, re.IGNORECASE) is not None


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

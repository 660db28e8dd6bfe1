"""The table of codes: complete, told in words, and open about its gaps and conflicts."""

import re
from dataclasses import fields
from typing import get_args

import pytest

from selftest.codes import CODES, Code, Phase

NUMBERS = range(1003000, 1003028)
AADSTS = ("AADSTS1100001", "AADSTS50146", "AADSTS501461", "AADSTS50105")
PLACEHOLDER = re.compile(r"\b(todo|tbd|fixme|xxx|lorem|n/a|see above)\b", re.IGNORECASE)
ENTRIES = list(CODES.values())


def test_every_documented_code_is_there_in_order() -> None:
    """The table runs from 1003000 to 1003027 without a hole, then the codes that users see."""
    assert list(CODES) == [*NUMBERS, *AADSTS]
    assert all(key == entry.code for key, entry in CODES.items())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry.code))
def test_every_text_says_something(entry: Code) -> None:
    """No text is empty, padded or a placeholder, and every cause is its own."""
    texts = [getattr(entry, field.name) for field in fields(entry) if field.name not in {"code", "related", "cause"}]
    written = [text for text in (*texts, *entry.cause) if text is not None]

    assert entry.cause
    assert len(set(entry.cause)) == len(entry.cause)
    for text in written:
        assert text == text.strip()
        assert len(text) > 3
        assert not PLACEHOLDER.search(text)


@pytest.mark.parametrize("name", ["meaning", "confirm", "fix", "cause"])
def test_no_two_codes_share_a_text(name: str) -> None:
    """A text copied from a neighbour would explain the wrong code."""
    texts = [getattr(entry, name) for entry in ENTRIES]

    assert len(set(texts)) == len(texts)


def test_names_are_told_apart() -> None:
    """Each code has a name of its own, and the documented ones are one word."""
    names = [CODES[number].name for number in NUMBERS if number != 1003013]

    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.startswith(("CustomExtension", "EventHandler")) for name in names)


def test_every_phase_is_used() -> None:
    """The three phases are those of the type, and each has codes."""
    assert {entry.phase for entry in ENTRIES} == set(get_args(Phase.__value__))


def test_code_before_the_call_says_that_no_request_came() -> None:
    """Where Entra never calls, the way to tell is that nobody was called."""
    for entry in ENTRIES:
        if entry.phase == "before the call":
            assert "0 attempts" in entry.confirm


def test_gap_is_told_as_a_gap() -> None:
    """1003013 is in no table: the entry says so and invents no name."""
    gap = CODES[1003013]

    assert gap.name == "(not documented)"
    assert "gap" in gap.meaning


@pytest.mark.parametrize("code", [1003002, 1003005, 1003011, 1003017, 1003018, 1003021, 1003024, 1003025])
def test_disagreement_between_sources_is_told(code: int) -> None:
    """Where the sources differ or are silent on a number, the entry says so."""
    assert CODES[code].conflict


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry.code))
def test_related_checks_are_groups_or_ids(entry: Code) -> None:
    """Each relation is something that `check` or `doctor` can select."""
    for name in entry.related:
        assert name[0] in "CTBFLD"
        assert name[1:] == "" or name[1:].isdigit()

"""Markdown is wrapped by one rule."""

from pathlib import Path

import pytest

from tests.wrapping import PAGES, as_read, wrapped


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_is_wrapped(page: Path) -> None:
    """Each paragraph fills its lines up to 120 characters: run `python -m tests.wrapping`."""
    assert page.read_text() == wrapped(page.read_text())


def test_paragraphs_are_filled_and_the_rest_stays() -> None:
    """Lists keep their indent, code and tables their lines, and no line begins with what would mean something else."""
    text = (
        "# A heading that stays\n\nTwo\nlines with `a  span\nof code`.\n\n"
        "- an item\n  of two lines\n\n  and a\n  paragraph\n1. another\n   item\n\n> a quotation\n> of two lines\n\n"
        "```\ncode\nstays\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    made = wrapped(text)
    assert made == (
        "# A heading that stays\n\nTwo lines with `a span of code`.\n\n- an item of two lines\n\n  and a paragraph\n"
        "1. another item\n\n> a quotation of two lines\n\n```\ncode\nstays\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    assert as_read(made) == as_read(text.replace("a  span", "a span"))
    long = "word " * 23 + "word - 1. # x " + "more " * 20
    assert as_read(wrapped(long)) == as_read(long)
    assert max(map(len, wrapped(long).split("\n"))) <= 120
    assert wrapped("one\\\ntwo\n") == "one\\\ntwo\n"

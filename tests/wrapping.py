"""How lines of Markdown are wrapped: `python -m tests.wrapping` fills each paragraph up to 120 characters.

Headings, tables, code and HTML stay as they are, and a span of code is never broken: a reader sees the same page.
"""

import re
import textwrap
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from tests.checkout import ROOT

WIDTH: Final = 120
#: Written by programs, with one line for each thing they know.
GENERATED: Final = {"capacity.md", "codes.md", "host.md", "infra-checks.md", "results.md"}
PAGES: Final = [page for page in sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")}) if page.name not in GENERATED]
_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")
#: Where a line must not be broken: in code, and before what would begin a list, a heading or a quotation there.
_HELD: Final = re.compile(r"`[^`]+`|\]\([^)]*\)|\s(?=(?:[-+*#>|=]|\d+[.)])(?:\s|$))", re.DOTALL)
_SPACE: Final = "\ue000"


def wrapped(text: str) -> str:
    """Return a page with each paragraph filled."""
    lines = text.split("\n")
    tokens = _MARKDOWN.parse(text)
    for index in range(len(tokens) - 1, 0, -1):
        token, place = tokens[index], tokens[index - 1].map
        if tokens[index - 1].type == "paragraph_open" and place is not None and _can_be_filled(token.content):
            lines[place[0] : place[1]] = _filled(lines[place[0] : place[1]], token.content)
    return "\n".join(lines)


def _can_be_filled(content: str) -> bool:
    """Whether a paragraph is prose alone: no line break that its author wants, and no comment."""
    return not re.search(r"  \n|\\\n|<!--", content)


def _filled(lines: list[str], content: str) -> list[str]:
    """Return the lines of one paragraph, which begins after the indent or the mark of a list."""
    first = lines[0][: lines[0].index(content.split("\n", 1)[0])]
    held = _HELD.sub(lambda found: re.sub(r"\s+", _SPACE, found[0]), content)
    further = first if first.lstrip().startswith(">") else " " * len(first)
    filled = textwrap.wrap(
        held,
        WIDTH,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_SPACE, " ") for line in filled]


def as_read(text: str) -> str:
    """Return what a reader sees of a page, whatever its lines."""
    return re.sub(r"\s+", " ", _MARKDOWN.render(text))


def write(page: Path) -> None:
    """Wrap a page, if that changes nothing but its lines."""
    text = page.read_text()
    made = wrapped(text)
    if as_read(made) != as_read(text):
        raise ValueError(f"{page}: it would read differently")
    page.write_text(made)


if __name__ == "__main__":
    for each in PAGES:
        write(each)

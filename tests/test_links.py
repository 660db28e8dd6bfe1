"""Relative links and anchors in the Markdown files lead somewhere."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.checkout import ROOT

PAGES: Final = sorted({*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/*.md"), *ROOT.glob(".github/**/*.md")})
_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")


@cache
def _tokens(page: Path) -> tuple[Token, ...]:
    return tuple(_MARKDOWN.parse(page.read_text()))


def links(page: Path) -> Iterator[str]:
    """Return the targets of the links and pictures in a page."""
    for token in _tokens(page):
        for child in token.children or ():
            if target := child.attrGet("href") or child.attrGet("src"):
                yield str(target)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return what a link can lead to in a page: its headings as GitHub names them, and the anchors in its HTML."""
    slugs: dict[str, int] = {}
    found = set(re.findall(r'<a id="([^"]+)"></a>', page.read_text()))
    tokens = _tokens(page)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(child.content for child in inline.children or () if child.type in {"text", "code_inline"})
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.add(f"{slug}-{slugs[slug]}" if slug in slugs else slug)
            slugs[slug] = slugs.get(slug, 0) + 1
    return frozenset(found)


def dead(page: Path) -> set[str]:
    """Return the links of a page that lead nowhere; other sites are not asked."""
    found = set()
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not re.match(r"[a-z]+:", link) and not (target.exists() and (not anchor or anchor in anchors(target))):
            found.add(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_dead(page: Path) -> None:
    """Files, folders, pictures, and headings in this page or another one."""
    assert not dead(page)


def test_dead_links_are_found(tmp_path: Path) -> None:
    """A missing file, a missing heading, the second of two equal headings, and an anchor in HTML."""
    (tmp_path / "other.md").write_text("# Two *words*, `x.y`\n\n## A\n\n## A\n")
    page = tmp_path / "page.md"
    good = "[a](other.md#two-words-xy) [b](other.md#a-1) [c](#here) [d](https://x.example/#y) [e](.)"
    page.write_text(f'<a id="here"></a>\n\n{good} [f](none.md) [g](other.md#a-2) ![h](none.png) [i](#there)\n')
    assert dead(page) == {"none.md", "other.md#a-2", "none.png", "#there"}

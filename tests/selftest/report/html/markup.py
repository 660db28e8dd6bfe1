"""Reads a page as a browser's parser would, as far as the tests need it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br"}


@dataclass
class Element:
    """One start tag."""

    tag: str
    attributes: dict[str, str | None]

    def __getitem__(self, name: str) -> str:
        """Give an attribute that has to be there, with a value."""
        value = self.attributes[name]
        assert value is not None
        return value


@dataclass
class Page:
    """The tags of a page in their order, and what is wrong with how they nest."""

    elements: list[Element] = field(default_factory=list)
    text: str = ""
    unclosed: list[str] = field(default_factory=list)

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Give what a text from elsewhere must not change: which elements there are, with which attributes."""
        return [(element.tag, tuple(element.attributes)) for element in self.elements]

    def all(self, *tags: str) -> list[Element]:
        """Find elements by their tag."""
        return [element for element in self.elements if element.tag in tags]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> names an attribute twice"
        self.page.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self.page.unclosed.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.page.unclosed, f"</{tag}> closes nothing"
        assert self.page.unclosed.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if "style" not in self.page.unclosed[-1:]:
            self.page.text += data


def read(html: str) -> Page:
    """Read a page; fails where tags do not nest."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.page.unclosed
    return reader.page

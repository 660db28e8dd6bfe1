"""A matplotlib figure as inline SVG that belongs to the page: its colours, its font, ids that nothing else has.

The document is parsed and written anew rather than edited as text, so that what comes out is well-formed and holds
only what is meant: no prolog, no metadata, no style sheet (which would reach the whole page), no unused id.

Source: HTML, section 4.8.16 (inline SVG); SVG Accessibility API Mappings 1.0, section 8 (title and desc as name and
description).
"""

import io
import re
from typing import Final, Literal
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from markupsafe import Markup
from matplotlib.figure import Figure

from selftest.report.html.pictures.canvas import SENTINELS, house_style

type Shape = Literal["stretched", "low"]

_DROPPED: Final = frozenset({"metadata", "style"})
_VARIABLES: Final = {colour: f"var(--{role})" for role, colour in SENTINELS.items()}
_COLOUR: Final = re.compile("|".join(_VARIABLES))
_NUMBER: Final = re.compile(r"-?\d+\.\d+")
_REFERENCE: Final = re.compile(r"#([\w.-]+)")
#: The page's own: matplotlib names the font that it measured with.
_FONT: Final = re.compile(r"font-(?:family|size): [^;]+(?:; )?")


def inline(figure: Figure, *, name: str, title: str, description: str, shape: Shape | None = None) -> Markup:
    """Write a figure as markup for the page.

    Args:
        figure: It was drawn in the house style, and no text of an endpoint's is in it.
        name: Starts every id, so it is unique in the page.
        title: What the picture shows, in a few words: its accessible name.
        description: What is to be seen in it.
        shape: ``stretched``: it holds no text, and the page gives it a width and a height of its own. ``low``: it is
            much wider than high.
    """
    stream = io.StringIO()
    with house_style():
        figure.savefig(stream, format="svg")
    drawn = fromstring(stream.getvalue())  # noqa: S314 - our own drawing, just written
    referred = {match for element in drawn.iter() for match in _references(element)}
    root = Element("svg", {"class": "picture", "role": "img", "viewBox": drawn.attrib["viewBox"]})
    if shape is not None:
        root.set("class", f"picture {shape}")
    if shape == "stretched":
        root.set("preserveAspectRatio", "none")
    root.set("aria-labelledby", f"{name}-title")
    root.set("aria-describedby", f"{name}-desc")
    SubElement(root, "title", id=f"{name}-title").text = title
    SubElement(root, "desc", id=f"{name}-desc").text = description
    for child in drawn:
        _copy(child, root, prefix=name, referred=referred)
    return Markup(tostring(root, encoding="unicode"))  # noqa: S704 - written by ElementTree, which escapes


def _references(element: Element) -> set[str]:
    return {
        found
        for attribute, value in element.attrib.items()
        if attribute.endswith(("href", "clip-path")) or "url(" in value
        for found in _REFERENCE.findall(value)
    }


def _copy(element: Element, parent: Element, *, prefix: str, referred: set[str]) -> None:
    """Copy an element without its namespace; a group that says nothing leaves its members in its place."""
    tag = element.tag.rpartition("}")[2]
    if tag in _DROPPED:
        return
    attributes = dict(_attributes(element, tag, prefix=prefix, referred=referred))
    if tag == "g" and not attributes:
        copied = parent
    elif tag == "defs" and all(child.tag.rpartition("}")[2] in _DROPPED for child in element):
        return
    else:
        copied = SubElement(parent, tag, attributes)
        copied.text = (element.text or "").strip() or None
    for child in element:
        _copy(child, copied, prefix=prefix, referred=referred)


def _attributes(element: Element, tag: str, *, prefix: str, referred: set[str]) -> list[tuple[str, str]]:
    copied = []
    for attribute, value in element.attrib.items():
        name = attribute.rpartition("}")[2]
        if name == "id":
            if value in referred:
                copied.append((name, f"{prefix}-{value}"))
        elif name == "transform" and value.startswith("rotate(-0 "):
            continue  # by nothing
        elif name == "d":
            copied.append((name, _NUMBER.sub(_shorter, " ".join(value.split()))))
        else:
            text = _COLOUR.sub(lambda match: _VARIABLES[match[0]], _NUMBER.sub(_shorter, value))
            text = text.replace("url(#", f"url(#{prefix}-")
            text = f"#{prefix}-{text[1:]}" if name == "href" else text
            text = _FONT.sub("", text).strip("; ") if tag == "text" else text
            if text:
                copied.append((name, text))
    return copied


def _shorter(match: re.Match[str]) -> str:
    """Write a coordinate to a hundredth of a pixel."""
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")

"""Turn a matplotlib figure into inline SVG that belongs to the page: its colors, its font, unique ids.

No prolog, no metadata and no style sheet (it would apply to the whole page) are left.

Source: HTML, section 4.8.16 (inline SVG); SVG Accessibility API Mappings 1.0, section 8 (title and desc as name and
description).
"""

import io
import re
from typing import Final

from markupsafe import Markup, escape
from matplotlib.figure import Figure

from selftest.report.html.pictures.canvas import SENTINELS, house_style

_SVG: Final = re.compile(r'<svg\b[^>]*?viewBox="(?P<view_box>[^"]+)"[^>]*>(?P<body>.*)</svg>', re.DOTALL)
_DROPPED: Final = re.compile(r"<metadata>.*?</metadata>|<style\b.*?</style>|<!--.*?-->", re.DOTALL)
_COLOR_VARIABLES: Final = {color: f"var(--{role})" for role, color in SENTINELS.items()}
_COLOR: Final = re.compile("|".join(_COLOR_VARIABLES))
#: matplotlib names the font that it measured with; the page has its own.
_FONT: Final = re.compile(r"font(?:-family|-size)?: [^;\"]+(?:; )?")
_ID: Final = re.compile(r' id="([^"]+)"')
_REFERENCE: Final = re.compile(r'(?:href="|url\()#([^")]+)')
_NUMBER: Final = re.compile(r"-?\d+\.\d{3,}")


def inline(figure: Figure, *, name: str, title: str, description: str) -> Markup:
    """Return a figure as markup for the page.

    Args:
        figure: Drawn in the house style, without any text of an endpoint.
        name: The start of every id, unique in the page.
        title: What the picture shows, in a few words: its accessible name.
        description: What a reader should see in it.
    """
    stream = io.StringIO()
    with house_style():
        figure.savefig(stream, format="svg")
    drawn = _SVG.search(stream.getvalue())
    if drawn is None:
        raise ValueError("matplotlib has not written SVG")
    body = re.sub(r"\s*\n\s*", " ", _DROPPED.sub("", drawn["body"])).replace("xlink:href", "href")
    referenced = set(_REFERENCE.findall(body))
    body = _REFERENCE.sub(lambda match: match[0].replace("#", f"#{name}-"), body)
    body = _ID.sub(lambda match: f' id="{name}-{match[1]}"' if match[1] in referenced else "", body)
    body = _COLOR.sub(lambda match: _COLOR_VARIABLES[match[0]], _FONT.sub("", body))
    body = _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), body)
    return Markup(  # noqa: S704 - matplotlib's own markup, and two escaped texts
        f'<svg class="picture" role="img" viewBox="{drawn["view_box"]}" aria-labelledby="{name}-title" '
        f'aria-describedby="{name}-desc"><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{body}</svg>'
    )

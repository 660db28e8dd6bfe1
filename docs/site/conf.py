"""The site of the docs: Sphinx reads the same files that a reader of the repository sees (`make site`)."""

import re
import shutil
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[2]
#: In the order in which people look for them: learn, do, look up, understand. Each page is in it once.
_NAVIGATION: Final = (_ROOT / "docs/site/navigation.md").read_text()

project = "entra-claims-endpoint"
author = "the contributors of entra-claims-endpoint"
copyright = author  # noqa: A001 (Sphinx reads this name)
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "benchmarks/*.md"]
extensions = ["myst_parser"]
myst_heading_anchors = 4
highlight_language = "text"  # of a block that names none
smartquotes = False  # the text is shown as it was written

html_theme = "furo"
html_title = project
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_use_index = False
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}


def _prepare(_app: Any, page: str, text: list[str]) -> None:
    """Write a page as Sphinx wants it and the repository's readers do not."""
    if page == root_doc:
        text[0] += _NAVIGATION
    # An anchor alone on a line names the heading below it; Sphinx must know it to check the links.
    text[0] = re.sub(r'^(<a id="(.+)"></a>)$', r"\1\n\n(\2)=", text[0], flags=re.MULTILINE)
    # A folder of the repository is no page.
    text[0] = re.sub(r"\[([^]]+)\]\([\w./-]+/\)", r"\1", text[0])
    text[0] = re.sub(r"^```mermaid\nflowchart TD\n(.*?)```$", _as_lists, text[0], flags=re.MULTILINE | re.DOTALL)


def _as_lists(picture: re.Match[str]) -> str:
    """Return the arrows of a picture as text: nothing that draws Mermaid comes without a script from elsewhere."""
    arrows: dict[str, list[str]] = defaultdict(list)
    for start, end in re.findall(r"(\w+) --> (\w+)", picture[1]):
        arrows[start].append(end)
    lines = (f"{start:<16} --> {', '.join(ends)}" for start, ends in arrows.items())
    folded = ("\n".join(textwrap.wrap(line, 90, subsequent_indent=" " * 21)) for line in lines)
    return "```text\n{}\n```".format("\n".join(folded))


def _copy_to_index(app: Any, error: Exception | None) -> None:
    """Show the first page at the site's address, too."""
    if error is None:
        shutil.copyfile(app.outdir / f"{root_doc}.html", app.outdir / "index.html")


def setup(app: Any) -> None:
    """Register both with Sphinx."""
    app.connect("source-read", _prepare)
    app.connect("build-finished", _copy_to_index)

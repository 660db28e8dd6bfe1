"""The templates of the page, and the one gate that every text goes through on its way into it.

What is put in is first rid of compact tokens and of characters that a reader would obey unseen, then escaped. Nothing
here is marked as safe markup, not even the drawings: they are templates too. The colours are the report's.
"""

import functools
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from selftest.base.printable import printable

_HTML: Final = Path(__file__).parent
_REPORT: Final = Path(__file__).parents[2] / "report" / "html"


def render(template: str, **values: Any) -> str:
    """Fill a template; a name that is not given is an error, not an empty place."""
    return _environment().get_template(template).render(values)


@functools.cache
def asset(name: str) -> bytes:
    """Read what is served as it is: the script and the icon."""
    return (_HTML / name).read_bytes()


def style_sheet() -> str:
    """Write the style sheet: the report's, then what is the playground's own."""
    return render("style.css.jinja") + render("playground.css.jinja")


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader([_HTML, _REPORT]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters["ms"] = milliseconds
    return made


def _shown(value: object) -> object:
    # Only what a template itself has made is a string of another class.
    return printable(value) if type(value) is str else value


def milliseconds(spent_ms: float) -> str:
    """Write a time as precisely as it is worth reading."""
    digits = 0 if spent_ms >= 100 else 1 if spent_ms >= 1 else 2
    return f"{spent_ms:,.{digits}f} ms"

"""The templates of the page, and the single place where texts are made safe for it.

Every inserted text loses compact tokens and invisible control characters, and is then escaped. No text is marked as
safe markup; the drawings are templates, too. The colors are those of the report.
"""

import functools
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from selftest.base.printable import printable
from selftest.base.program import PROGRAM

_HTML: Final = Path(__file__).parent
_REPORT: Final = Path(__file__).parents[2] / "report" / "html"


def render(template: str, **values: Any) -> str:
    """Return a rendered template; a missing value is an error."""
    return _environment().get_template(template).render(values)


@functools.cache
def asset(name: str) -> bytes:
    """Return a static file: the script or the icon."""
    return (_HTML / name).read_bytes()


def style_sheet() -> str:
    """Return the style sheet: the report's, followed by the playground's."""
    return render("style.css.jinja") + render("playground.css.jinja")


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader([_HTML, _REPORT]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.globals["program"] = PROGRAM
    made.filters["ms"] = milliseconds
    return made


def _finalize(value: object) -> object:
    # Only the output of a template is of another string class.
    return printable(value) if type(value) is str else value


def milliseconds(spent_ms: float) -> str:
    """Return a time with a sensible number of digits."""
    digits = 0 if spent_ms >= 100 else 1 if spent_ms >= 1 else 2
    return f"{spent_ms:,.{digits}f} ms"

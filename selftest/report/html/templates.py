"""The templates of the page, and the one gate that every text from a run goes through on its way into it.

What is put in is first made visible (no direction mark or control character is obeyed) and then escaped. Only `Markup`
passes as it is, and only pictures are that.
"""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from selftest.base.printable import visible
from selftest.report import units

_DIRECTORY: Final = Path(__file__).parent


def render(template: str, **values: Any) -> str:
    """Fill a template; a name that is not given is an error, not an empty place."""
    return _environment().get_template(template).render(values)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_DIRECTORY),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_seen,
    )
    made.filters.update(
        count=units.count,
        kilobytes=units.kilobytes,
        milliseconds=units.milliseconds,
        moment=moment,
        per_second=units.per_second,
        percent=units.percent,
        seconds=units.seconds,
        share=units.share,
    )
    return made


def _seen(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def moment(started_at: str) -> str:
    """Write an ISO 8601 time in UTC as people write it."""
    return started_at.replace("T", " ").removesuffix("+00:00")[:19] + " UTC"

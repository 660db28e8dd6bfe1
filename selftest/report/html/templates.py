"""Render the templates of the page, and escape every text of a run.

Direction marks and control characters of inserted text are made visible, then the text is escaped. Only `Markup` is
inserted unchanged, and only figures are `Markup`.
"""

import functools
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from selftest.base.printable import visible
from selftest.base.program import PROGRAM
from selftest.judge.app_cause import explained
from selftest.report import units

_DIRECTORY: Final = Path(__file__).parent


def render(template: str, **values: Any) -> str:
    """Return a filled template. An undefined name is an error."""
    return _environment().get_template(template).render(values)


@functools.cache
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
    made.globals |= {"explained": explained, "program": PROGRAM}
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
    """Return an ISO 8601 time in UTC in a readable form."""
    return started_at.replace("T", " ").removesuffix("+00:00")[:19] + " UTC"

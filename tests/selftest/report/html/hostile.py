"""Puts a text into every place of a run that a text can come from; what is one of a few words stays as it is."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from selftest.report.results import Results

#: One of a list of words, or an id, which a file is checked for.
_WORDS = {"id", "status", "level", "outcome", "profile"}

MARKUP = (
    "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"
    "</title></style></svg></textarea><!--\"'><svg onload=window.pwned=1>&lt;b&#62;{{ 7 * 7 }}{% raw %}"
    "javascript:window.pwned=1 $\\frac{1}{2}$ https://a.example/x"
)
CONTROLS = "\x00\x1b[31m\u202eright to left\u2066\ufeff\ud800\r\x85\u2028"


def with_text(results: Results, text: str) -> Results:
    """Put it in, behind what is there."""
    changed: Results = _changed(results, text)
    return changed


def _changed(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return value + text
    if isinstance(value, tuple):
        return tuple(_changed(item, text) for item in value)
    if isinstance(value, dict):
        return {name + text: _changed(item, text) for name, item in value.items()} | value
    if is_dataclass(value) and not isinstance(value, type):
        members = {part.name: getattr(value, part.name) for part in fields(value)}
        kept = {"points", "slices", "curve"} | _WORDS  # figures alone
        return replace(value, **{name: _changed(item, text) for name, item in members.items() if name not in kept})
    return value

"""Texts that are data: TOML files with one table for each id that `explain` and the page of codes describe.

A table with a name in lower case is a group: its members are the defaults of the tables in it, as those at the top of a
file are of all. ``{name}`` in a text stands for the member of that name.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_ID: Final = re.compile(r"[A-Z0-9]+")
_PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def read_texts(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the members of each id, from all TOML files in a folder and in the folders below it.

    Raises:
        ValueError: An id occurs twice.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*.toml")):
        for text_id, members in _tables(tomllib.loads(path.read_text(encoding="utf-8")), {}):
            if text_id in found:
                raise ValueError(f"{path.name} repeats the id {text_id}; give each id one table")
            found[text_id] = members
    return found


def own_table(module_file: str) -> dict[str, Any]:
    """Return the table next to a module: the TOML file of its name. Call it with ``__file__``."""
    return tomllib.loads(Path(module_file).with_suffix(".toml").read_text(encoding="utf-8"))


def _tables(group: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    ours = {**defaults, **{name: value for name, value in group.items() if not isinstance(value, dict)}}
    for name, value in group.items():
        if isinstance(value, dict) and _ID.fullmatch(name):
            yield name, ours | value
        elif isinstance(value, dict):
            yield from _tables(value, ours)


def filled(text: str, members: Mapping[str, Any]) -> str:
    """Return a text with its placeholders replaced, also those in what replaces them.

    Raises:
        KeyError: No member has the name of a placeholder.
    """
    return _PLACEHOLDER.sub(lambda found: filled(str(members[found[1]]), members), text)

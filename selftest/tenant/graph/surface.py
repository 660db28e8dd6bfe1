"""The part of Microsoft Graph that this project uses: paths, methods, and the permissions in ``surface.toml``.

The client looks up which permission would have allowed a refused request. A test compares every row with Microsoft's
published description, where that is available.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote

from selftest.judge.texts import own_table

type Version = Literal["v1.0", "beta"]
type Permissions = tuple[frozenset[str], ...]
type PermissionsByMethod = Mapping[str, Permissions]


def _read() -> dict[Version, dict[str, PermissionsByMethod]]:
    """Return the table in the file, with the permissions in place of their names."""
    table = own_table(__file__)
    named = {
        name: tuple(frozenset(each.split("+")) for each in alternatives)
        for name, alternatives in table["alternatives"].items()
    }
    versions: tuple[Version, ...] = ("v1.0", "beta")
    return {
        version: {path: {method: named[name] for method, name in row.items()} for path, row in table[version].items()}
        for version in versions
    }


#: By version, path (with names in braces, as Microsoft's description writes it), and method.
PERMISSIONS: Final[Mapping[Version, Mapping[str, PermissionsByMethod]]] = _read()

_NAME_IN_BRACES: Final = re.compile(r"\\\{[^}]*\\\}")


@lru_cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(_NAME_IN_BRACES.sub("((?:[^/()']|'')+)", re.escape(template)))


def matching(version: Version, path: str) -> tuple[str, re.Match[str]] | None:
    """Return the template of a path, and the match with the values of its names; None for an unknown path.

    Args:
        version: Of Graph.
        path: Below the version, with a slash at the start, percent-encoded or not.
    """
    text = unquote(path)
    # Those without names first, because they are more specific.
    for template in sorted(PERMISSIONS[version], key=lambda each: each.count("{")):
        if (match := _pattern(template).fullmatch(text)) is not None:
            return template, match
    return None


def permissions_for(method: str, path: str, version: Version = "v1.0") -> Permissions:
    """Return the permissions that would allow a request, the least privileged first; empty for an unknown request."""
    found = matching(version, path)
    return () if found is None else PERMISSIONS[version][found[0]].get(method, ())

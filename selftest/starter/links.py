"""Links in the pages of a copy: a page that is not part of the copy is named, not linked."""

import posixpath
import re
from collections.abc import Collection
from typing import Final

_LINK: Final = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")


def without_dead_links(path: str, content: bytes, files: Collection[str]) -> bytes:
    """Replace each link to a file that the copy does not have by its text."""

    def resolved(found: re.Match[str]) -> str:
        target = found[2].partition("#")[0]
        if not target or "://" in target:
            return found[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        exists = there in files or any(each.startswith(f"{there}/") for each in files)
        return found[0] if exists else found[1]

    return _LINK.sub(resolved, content.decode()).encode()

"""Links in the pages of a copy: a page that is not part of the copy is named with its place, not linked."""

import posixpath
import re
from collections.abc import Collection
from typing import Final

_LINK: Final = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")


def without_dead_links(path: str, content: bytes, files: Collection[str]) -> bytes:
    """Replace each link to a file that the copy does not have by its text and the file's place in a checkout."""

    def resolved(found: re.Match[str]) -> str:
        target = found[2].partition("#")[0]
        if not target or "://" in target:
            return found[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        exists = there in files or any(each.startswith(f"{there}/") for each in files)
        if exists:
            return found[0]
        place = f"{there} in a checkout"
        return place if found[1] == posixpath.basename(target) else f"{found[1]} ({place})"

    return _LINK.sub(resolved, content.decode()).encode()

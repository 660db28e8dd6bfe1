"""What an update does to each file, decided by three contents: as delivered, as it is, as the new version has it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from selftest.starter.manifest import file_hash

#: What is appended to the name of a file that has a conflict, for the new version next to it.
NEW_SUFFIX: Final = ".new"


class FileAction(Enum):
    """What is done with one file; the value is what the command prints."""

    ADD = "added"
    REPLACE = "replaced"
    REMOVE = "removed"
    #: Both the copier and the new version changed it: it stays, and the new version is written next to it.
    CONFLICT = "CONFLICT"
    #: The copier changed it and the new version did not.
    KEEP_CHANGED = "yours"
    #: The new version has it no more, and the copier changed it.
    KEEP_DROPPED = "yours, no longer delivered"
    #: The copier removed it.
    LEAVE_REMOVED = "removed by you"
    NOTHING = "unchanged"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file and what becomes of it.

    Attributes:
        path: With slashes, relative to the copy.
        content: The new version, or None where there is none.
    """

    path: str
    action: FileAction
    content: bytes | None


def compare(
    delivered: Mapping[str, str], new: Mapping[str, bytes], read: Callable[[str], bytes | None]
) -> Iterator[FileChange]:
    """Decide for every file that was delivered or is to be delivered, in the order of their paths.

    Args:
        delivered: The hashes in the manifest.
        new: The files of the new version that an update may replace.
        read: Returns a file of the copy, or None where there is none.
    """
    for path in sorted({*delivered, *new}):
        yield FileChange(path, _action(path, delivered.get(path), new.get(path), read), new.get(path))


def _action(path: str, delivered: str | None, new: bytes | None, read: Callable[[str], bytes | None]) -> FileAction:
    content = read(path)
    current = None if content is None else file_hash(content)
    if new is None:
        if current is None:
            return FileAction.NOTHING
        return FileAction.REMOVE if current == delivered else FileAction.KEEP_DROPPED
    wanted = file_hash(new)
    if current == wanted:
        return FileAction.NOTHING
    if current is None:
        return FileAction.ADD if delivered is None else FileAction.LEAVE_REMOVED
    if current == delivered:
        return FileAction.REPLACE
    unsettled = read(path + NEW_SUFFIX) is not None
    return FileAction.CONFLICT if delivered != wanted or unsettled else FileAction.KEEP_CHANGED

"""What differs between an object as it is and as it should be, member by member, for a person to read.

Only members that are wanted are looked at: what others have set beside them is theirs and stays.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from selftest.graph.errors import safe_text

_TYPE: Final = "@odata."


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any] | None, place: str = "") -> Iterator[str]:
    """Give a line for each member that is not as it should be: ``member: before -> after``.

    Lists are compared without their order, which Graph does not promise to keep.

    Args:
        wanted: the members that matter.
        found: the object; None where there is none, so that all of it is new.
        place: where in the object, for the lines.
    """
    for member, value in wanted.items():
        if member.startswith(_TYPE):
            continue
        here, before = f"{place}{member}", (found or {}).get(member)
        if isinstance(value, Mapping):
            yield from differences(value, before if isinstance(before, Mapping) else None, f"{here}.")
        elif not _same(value, before):
            yield f"{here}: {_shown(before)} -> {_shown(value)}" if found is not None else f"{here}: {_shown(value)}"


def _same(wanted: object, found: object) -> bool:
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return isinstance(found, list) and sorted(map(_canonical, wanted)) == sorted(map(_canonical, found))
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(value: object) -> str:
    return safe_text(json.dumps(value, ensure_ascii=False))

"""The differences between an existing and a wanted object, member by member, for a person to read.

Only wanted members are compared: what others have set besides them stays.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from selftest.tenant.graph.errors import safe_text

_TYPE: Final = "@odata."


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any] | None, place: str = "") -> Iterator[str]:
    """Yield a line for each member that is not as wanted: ``member: before -> after``.

    A list has a line for each item that is added (``member: + item``) or removed (``member: - item``); its order does
    not count, because Graph does not promise to keep it.

    Args:
        wanted: The members that matter.
        found: The object; None where there is none, so that all of it is new.
        place: Where in the object, for the lines.
    """
    for member, value in wanted.items():
        if member.startswith(_TYPE):
            continue
        here, before = f"{place}{member}", (found or {}).get(member)
        if isinstance(value, Mapping):
            yield from differences(value, before if isinstance(before, Mapping) else None, f"{here}.")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from (f"{here}: {line}" for line in _items(value, before if isinstance(before, Sequence) else ()))
        elif value != before or isinstance(value, bool) != isinstance(before, bool):
            yield f"{here}: {_shown(before)} -> {_shown(value)}" if found is not None else f"{here}: {_shown(value)}"


def _items(wanted: Sequence[Any], found: Sequence[Any]) -> Iterator[str]:
    after, before = Counter(map(_canonical, wanted)), Counter(map(_canonical, found))
    yield from (f"- {safe_text(item)}" for item in (before - after).elements())
    yield from (f"+ {safe_text(item)}" for item in (after - before).elements())


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _shown(value: object) -> str:
    return safe_text(json.dumps(value, ensure_ascii=False))

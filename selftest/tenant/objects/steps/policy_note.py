"""Notes in the description of a mapping policy: what was before, so that it can be restored.

A note is a marker and a JSON object. Entra has no other place for it that is read and deleted together with the policy.
"""

import json
from typing import Any, NamedTuple

from selftest.tenant.graph.objects import GraphObject


class PolicyNote(NamedTuple):
    """One note, and where in the description it starts and ends."""

    value: dict[str, Any]
    start: int
    end: int


def find_note(policy: GraphObject, marker: str) -> PolicyNote | None:
    """Return the note with a marker; None where there is none, or where it is not one any more."""
    text = str(policy.get("description") or "")
    if (start := text.find(marker)) < 0:
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(text, start + len(marker))
    except (ValueError, RecursionError):
        return None
    return PolicyNote(value, start, end) if isinstance(value, dict) else None

"""What a file that is not a sign-in log looks like, and what reads it: people mix up the files that they collected."""

import json
from typing import Final

from selftest.tenant.doctor.evidence.tenant_objects import LISTS
from selftest.tenant.signin_log.endpoint_log import read_log
from selftest.tenant.signin_log.read_text import InputError

_POLICY: Final = frozenset({"ClaimsMappingPolicy", "definition"})


def is_signin_log(text: str) -> bool:
    """Whether a file that is not an app's log seems to be a sign-in log in JSON."""
    return bool(_names(text) & {"appliedEventListeners", "AppliedEventListeners"})


def looks_like(text: str) -> str:
    """Return what a file that is not a sign-in log seems to be, and what reads it; empty where that is unknown."""
    try:
        read_log(text, "")
    except InputError:
        names = _names(text)
    else:
        return "it looks like a log of the app or its host: give that as --log"
    if names & set(LISTS):
        return "it looks like a tenant's objects: `doctor --file FILE` reads them"
    if names & _POLICY:
        return "it looks like a claims mapping policy: `signin --url URL --mapping FILE` reads it"
    return ""


def _names(text: str) -> set[str]:
    """Return the names of a JSON object's members, or of the first entry's in a Graph page."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return set()
    page = document.get("value") if isinstance(document, dict) else None
    first = page[0] if isinstance(page, list) and page else document
    return set(first) if isinstance(first, dict) else set()

"""B30 to B39: what the request declares its body to be."""

import gzip
from typing import Final

from selftest.checks.body.refused import BodyFault, register_faults

_FIX_MEDIA: Final = (
    "Accept application/json in UTF-8, without a content encoding, and answer 415 otherwise. claims/header.py shows it."
)
_UNSUPPORTED: Final = frozenset({415})

_MEDIA: Final = (
    BodyFault(
        id="B30",
        title="refuses text/plain",
        sends="the good event as text/plain",
        fix=_FIX_MEDIA,
        statuses=_UNSUPPORTED,
        why="Browsers send text/plain across sites without asking; JSON they may not.",
        request=lambda good: good.with_header("Content-Type", "text/plain"),
    ),
    BodyFault(
        id="B31",
        title="refuses a missing content type",
        sends="the good event without a Content-Type",
        fix=_FIX_MEDIA,
        statuses=_UNSUPPORTED,
        why="What the sender does not declare, every reader on the way guesses anew.",
        request=lambda good: good.without("Content-Type"),
    ),
    BodyFault(
        id="B32",
        title="refuses another charset",
        sends="the good event as application/json; charset=iso-8859-1",
        fix=_FIX_MEDIA,
        statuses=_UNSUPPORTED,
        why="JSON is UTF-8; a declaration that says otherwise contradicts the body.",
        request=lambda good: good.with_header("Content-Type", "application/json; charset=iso-8859-1"),
        source="RFC 8259 sections 8.1 and 11",
        level="should",
    ),
    BodyFault(
        id="B33",
        title="refuses a compressed body",
        sends="the good event compressed, with Content-Encoding: gzip",
        fix=_FIX_MEDIA,
        statuses=_UNSUPPORTED,
        why="A few bytes must not unpack into gigabytes; Entra compresses nothing.",
        request=lambda good: good.with_body(gzip.compress(good.body)).with_header("Content-Encoding", "gzip"),
    ),
    BodyFault(
        id="B34",
        title="refuses a form",
        sends="the good event as application/x-www-form-urlencoded",
        fix=_FIX_MEDIA,
        statuses=_UNSUPPORTED,
        why="Browsers send forms across sites without asking.",
        request=lambda good: good.with_header("Content-Type", "application/x-www-form-urlencoded"),
    ),
)

register_faults(_MEDIA, source="entra-docs custom-claims-provider-reference.md; RFC 9110 section 15.5.16")

"""B30 to B39: what the request declares its body to be."""

import gzip
from functools import partial
from typing import Final

from selftest.checks.body.refused import body_fault

_FIX_MEDIA: Final = (
    "Accept application/json in UTF-8, without a content encoding, and answer 415 otherwise. claims/header.py shows it."
)

_body_fault = partial(
    body_fault,
    source="entra-docs custom-claims-provider-reference.md; RFC 9110 section 15.5.16",
    fix=_FIX_MEDIA,
    statuses=frozenset({415}),
)
_body_fault(
    "B30",
    "refuses text/plain",
    sends="the good event as text/plain",
    why="Browsers send text/plain across sites without asking; JSON they may not.",
    request=lambda good: good.with_header("Content-Type", "text/plain"),
)
_body_fault(
    "B31",
    "refuses a missing content type",
    sends="the good event without a Content-Type",
    why="What the sender does not declare, every reader on the way guesses anew.",
    request=lambda good: good.without("Content-Type"),
)
_body_fault(
    "B32",
    "refuses another charset",
    sends="the good event as application/json; charset=iso-8859-1",
    why="JSON is UTF-8; a declaration that says otherwise contradicts the body.",
    request=lambda good: good.with_header("Content-Type", "application/json; charset=iso-8859-1"),
    source="RFC 8259 sections 8.1 and 11",
    level="should",
)
_body_fault(
    "B33",
    "refuses a compressed body",
    sends="the good event compressed, with Content-Encoding: gzip",
    why="A few bytes must not unpack into gigabytes; Entra compresses nothing.",
    request=lambda good: good.with_body(gzip.compress(good.body)).with_header("Content-Encoding", "gzip"),
)
_body_fault(
    "B34",
    "refuses a form",
    sends="the good event as application/x-www-form-urlencoded",
    why="Browsers send forms across sites without asking.",
    request=lambda good: good.with_header("Content-Type", "application/x-www-form-urlencoded"),
)

"""B30 to B39: the body's declared media type and encoding."""

import gzip
from functools import partial
from typing import Final

from selftest.checks.body.refused import body_fault

_FIX_MEDIA: Final = (
    "Accept application/json in UTF-8 without a content encoding, and answer anything else with 415. See "
    "claims/header.py."
)

_body_fault = partial(
    body_fault,
    level="convention",
    source="entra-docs custom-claims-provider-reference.md; RFC 9110 section 15.5.16",
    fix=_FIX_MEDIA,
)
_body_fault(
    "B30",
    "refuses text/plain",
    sends="the valid event as text/plain",
    why="Browsers send text/plain across sites without a preflight request; JSON requires one.",
    request=lambda good: good.with_header("Content-Type", "text/plain"),
)
_body_fault(
    "B31",
    "refuses a missing content type",
    sends="the valid event without a Content-Type",
    why="Each reader on the way guesses the type of a body without one.",
    request=lambda good: good.without("Content-Type"),
)
_body_fault(
    "B32",
    "refuses another charset",
    sends="the valid event as application/json; charset=iso-8859-1",
    why="JSON is UTF-8; another charset contradicts the body.",
    request=lambda good: good.with_header("Content-Type", "application/json; charset=iso-8859-1"),
    source="RFC 8259 sections 8.1 and 11",
)
_body_fault(
    "B33",
    "refuses a compressed body",
    sends="the valid event compressed, with Content-Encoding: gzip",
    why="A few bytes must not decompress into gigabytes; Entra does not compress.",
    request=lambda good: good.with_body(gzip.compress(good.body)).with_header("Content-Encoding", "gzip"),
)
_body_fault(
    "B34",
    "refuses a form",
    sends="the valid event as application/x-www-form-urlencoded",
    why="Browsers send forms across sites without a preflight request.",
    request=lambda good: good.with_header("Content-Type", "application/x-www-form-urlencoded"),
)

"""B01 to B29: the body's bytes and JSON syntax, before the event is read."""

from functools import partial
from typing import Any, Final

from selftest.checks.bench.raw_bytes import encode, spell, twice
from selftest.checks.body.refused import body_fault

_KIB: Final = 1024
_NESTED: Final = 20_000
_DIGITS: Final = 5_000
_FIX_JSON: Final = (
    "Parse with a strict parser (UTF-8, one object, no duplicate members, finite numbers) that answers "
    "every failure, including one of depth or size, with 400. See claims/wire/strict_json.py."
)
_FIX_SIZE: Final = "Compare the length with a limit before parsing. See claims/event.py."
_SERVER_ERROR: Final = "Unparsable input must end in a refusal; a 5xx looks like an outage and hides real ones."
_TWO_MEANINGS: Final = "Two parsers on the way may read different values; one decides, the other logs."
_RESOURCES: Final = "A small body must not exhaust the worker's stack, memory or time."


def _nested_duplicate(event: dict[str, Any]) -> bytes:
    data = event["data"]
    doubled = twice(data, "tenantId", "00000000-0000-4000-8000-000000000000")
    return encode({**event, "data": None}).replace(b'"data":null', b'"data":' + doubled)


_json_body_fault = partial(body_fault, source="RFC 8259; RFC 7493 (I-JSON)", fix=_FIX_JSON)
_json_body_fault(
    "B01",
    "refuses an empty body",
    level="hardening",
    sends="no body",
    why=_SERVER_ERROR,
    body=lambda _: b"",
)
_json_body_fault(
    "B02",
    "refuses a body that is not JSON",
    level="hardening",
    sends="`type=event`",
    why=_SERVER_ERROR,
    body=lambda _: b"type=event",
)
_json_body_fault(
    "B03",
    "refuses a truncated body",
    level="hardening",
    sends="the first half of the valid event",
    why=_SERVER_ERROR,
    body=lambda event: encode(event)[: len(encode(event)) // 2],
)
_json_body_fault(
    "B04",
    "refuses a body that is a list",
    level="hardening",
    sends="a list that contains the valid event",
    why=_SERVER_ERROR,
    body=lambda event: encode([event]),
    bad='[{"type":…}]',
    good='{"type":…}',
)
_json_body_fault(
    "B05",
    "refuses a body that is a string",
    level="hardening",
    sends="the valid event as a JSON string",
    why="A reader that parses twice accepts it.",
    body=lambda event: encode(encode(event).decode()),
)
_json_body_fault(
    "B06",
    "refuses a body that is null",
    level="hardening",
    sends="`null`",
    why=_SERVER_ERROR,
    body=lambda _: b"null",
)
_json_body_fault(
    "B07",
    "refuses a number that a double cannot hold",
    level="hardening",
    sends="the valid event with the number 1e999 as a member",
    why=_TWO_MEANINGS,
    body=lambda event: spell(event, "weight", "1e999"),
    bad='{"weight":1e999}',
)
_json_body_fault(
    "B08",
    "refuses NaN",
    level="hardening",
    sends="the valid event with NaN as a member",
    why="It is not JSON and cannot be written back.",
    body=lambda event: spell(event, "weight", "NaN"),
    bad='{"weight":NaN}',
    source="RFC 8259 section 6",
)
_json_body_fault(
    "B09",
    "refuses Infinity",
    level="hardening",
    sends="the valid event with Infinity as a member",
    why="It is not JSON and cannot be written back.",
    body=lambda event: spell(event, "weight", "Infinity"),
    source="RFC 8259 section 6",
)
_json_body_fault(
    "B10",
    "refuses a number of 5000 digits",
    level="hardening",
    sends="the valid event with a number of 5000 digits as a member",
    why=(
        "A small body must not exhaust the worker's stack, memory or time. Parsing digits takes time "
        "quadratic in their number."
    ),
    body=lambda event: spell(event, "weight", "9" * _DIGITS),
)
_json_body_fault(
    "B11",
    "refuses a duplicate member",
    level="hardening",
    sends="the valid event with `type` twice, of which the second is correct",
    why=_TWO_MEANINGS,
    body=lambda event: twice(event, "type", "other"),
    bad='{"type":"other","type":"microsoft.graph…"}',
    source="RFC 7493 section 2.3",
)
_json_body_fault(
    "B12",
    "refuses a duplicate member in a nested object",
    level="hardening",
    sends="the valid event with `data.tenantId` twice, of which the second is correct",
    why=_TWO_MEANINGS,
    body=_nested_duplicate,
    source="RFC 7493 section 2.3",
)
_json_body_fault(
    "B13",
    "refuses 20,000 nested lists",
    level="hardening",
    sends="the valid event with 20,000 nested lists as a member",
    why=_RESOURCES,
    body=lambda event: spell(event, "deep", "[" * _NESTED + "]" * _NESTED),
)
_json_body_fault(
    "B14",
    "refuses an unpaired surrogate",
    level="hardening",
    sends="the valid event with a member \\ud800",
    why="It is not a character: writing it to a claim or a log fails later.",
    body=lambda event: spell(event, "note", '"\\ud800"'),
    source="RFC 7493 section 2.1",
    bad=r'{"note":"\ud800"}',
)
_json_body_fault(
    "B15",
    "refuses a raw control character",
    level="hardening",
    sends="the valid event with a line break inside a string",
    why=_TWO_MEANINGS,
    body=lambda event: spell(event, "note", '"a\nb"'),
    source="RFC 8259 section 7",
)
_json_body_fault(
    "B16",
    "refuses data after the event",
    level="hardening",
    sends="the valid event followed by `{}`",
    why=_TWO_MEANINGS,
    body=lambda event: encode(event) + b"{}",
)


_bytes_body_fault = partial(body_fault, source="RFC 8259", fix=_FIX_JSON)
_bytes_body_fault(
    "B20",
    "refuses a body that is not UTF-8",
    level="hardening",
    sends="the valid event with the byte FF in a string",
    why="A decoder that replaces invalid bytes changes names.",
    body=lambda event: spell(event, "note", '"?"').replace(b'"?"', b'"\xff"'),
    source="RFC 8259 section 8.1",
)
_bytes_body_fault(
    "B21",
    "refuses UTF-16",
    level="hardening",
    sends="the valid event in UTF-16",
    why=_TWO_MEANINGS,
    body=lambda event: encode(event).decode().encode("utf-16"),
    source="RFC 8259 section 8.1",
)
_bytes_body_fault(
    "B22",
    "refuses a byte order mark",
    level="hardening",
    sends="the valid event after EF BB BF",
    why="Some parsers skip it and others fail; Entra does not send it.",
    body=lambda event: b"\xef\xbb\xbf" + encode(event),
    source="RFC 8259 section 8.1: must not be added; ignoring it is allowed",
)
_bytes_body_fault(
    "B23",
    "refuses a body larger than 64 KiB",
    level="hardening",
    sends="the valid event with a member of 64 KiB",
    why="Bodies without a limit exhaust the worker's memory and time.",
    body=lambda event: encode({**event, "padding": "x" * 64 * _KIB}),
    source="ours: twenty times the largest documented event; RFC 9110 section 15.5.14",
    fix=_FIX_SIZE,
)

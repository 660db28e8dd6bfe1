"""B01 to B29: bytes and JSON, before the event means anything."""

from functools import partial
from typing import Any, Final

from selftest.checks.bench.raw_bytes import encode, spell, twice
from selftest.checks.body.refused import body_fault

_KIB: Final = 1024
_NESTED: Final = 20_000
_DIGITS: Final = 5_000
_FIX_JSON: Final = (
    "Parse with a strict reader (UTF-8, one object, no member twice, finite numbers) that turns every failure, "
    "also one of depth or size, into a 400. claims/wire/strict_json.py shows it."
)
_FIX_SIZE: Final = "Compare the length with a cap before parsing. claims/event.py shows it."
_SERVER_ERROR: Final = "What a parser cannot read must end as a refusal; a 5xx looks like an outage and hides one."
_TWO_MEANINGS: Final = "Two readers on the way may understand different things; one of them decides, the other logs."
_RESOURCES: Final = "A few bytes must not cost the worker its stack, its memory or its seconds."


def _nested_duplicate(event: dict[str, Any]) -> bytes:
    data = event["data"]
    doubled = twice(data, "tenantId", "00000000-0000-4000-8000-000000000000")
    return encode({**event, "data": None}).replace(b'"data":null', b'"data":' + doubled)


_json_body_fault = partial(body_fault, source="RFC 8259; RFC 7493 (I-JSON)", fix=_FIX_JSON)
_json_body_fault(
    "B01",
    "refuses an empty body",
    sends="no body",
    why=_SERVER_ERROR,
    body=lambda _: b"",
)
_json_body_fault(
    "B02",
    "refuses a body that is not JSON",
    sends="`type=event`",
    why=_SERVER_ERROR,
    body=lambda _: b"type=event",
)
_json_body_fault(
    "B03",
    "refuses a truncated body",
    sends="the first half of the good event",
    why=_SERVER_ERROR,
    body=lambda event: encode(event)[: len(encode(event)) // 2],
)
_json_body_fault(
    "B04",
    "refuses a list",
    sends="a list that holds the good event",
    why=_SERVER_ERROR,
    body=lambda event: encode([event]),
    bad='[{"type":…}]',
    good='{"type":…}',
)
_json_body_fault(
    "B05",
    "refuses a string",
    sends="the good event as a JSON string",
    why="A reader that parses twice would take it.",
    body=lambda event: encode(encode(event).decode()),
)
_json_body_fault(
    "B06",
    "refuses null",
    sends="`null`",
    why=_SERVER_ERROR,
    body=lambda _: b"null",
)
_json_body_fault(
    "B07",
    "refuses a number beyond a double",
    sends="the good event with a member 1e999",
    why=_TWO_MEANINGS,
    body=lambda event: spell(event, "weight", "1e999"),
    bad='{"weight":1e999}',
)
_json_body_fault(
    "B08",
    "refuses NaN",
    sends="the good event with a member NaN",
    why="It is not JSON, and it cannot be written back.",
    body=lambda event: spell(event, "weight", "NaN"),
    bad='{"weight":NaN}',
    source="RFC 8259 section 6",
)
_json_body_fault(
    "B09",
    "refuses Infinity",
    sends="the good event with a member Infinity",
    why="It is not JSON, and it cannot be written back.",
    body=lambda event: spell(event, "weight", "Infinity"),
    source="RFC 8259 section 6",
)
_json_body_fault(
    "B10",
    "refuses a number of 5000 digits",
    sends="the good event with a member of 5000 digits",
    why=f"{_RESOURCES} Turning digits into a number takes time that grows with their square.",
    body=lambda event: spell(event, "weight", "9" * _DIGITS),
)
_json_body_fault(
    "B11",
    "refuses a member twice",
    sends="the good event with `type` twice, of which the second is right",
    why=_TWO_MEANINGS,
    body=lambda event: twice(event, "type", "other"),
    bad='{"type":"other","type":"microsoft.graph…"}',
    source="RFC 7493 section 2.3",
)
_json_body_fault(
    "B12",
    "refuses a member twice further in",
    sends="the good event with `data.tenantId` twice, of which the second is right",
    why=_TWO_MEANINGS,
    body=_nested_duplicate,
    source="RFC 7493 section 2.3",
)
_json_body_fault(
    "B13",
    "refuses 20,000 nested lists",
    sends="the good event with a member of 20,000 lists in each other",
    why=_RESOURCES,
    body=lambda event: spell(event, "deep", "[" * _NESTED + "]" * _NESTED),
)
_json_body_fault(
    "B14",
    "refuses half a surrogate pair",
    sends=r"the good event with a member \ud800",
    why="It is no character: writing it back, into a claim or a log, fails later and elsewhere.",
    body=lambda event: spell(event, "note", '"\\ud800"'),
    source="RFC 7493 section 2.1",
    bad=r'{"note":"\ud800"}',
)
_json_body_fault(
    "B15",
    "refuses a raw control character",
    sends="the good event with a line break inside a string",
    why=_TWO_MEANINGS,
    body=lambda event: spell(event, "note", '"a\nb"'),
    source="RFC 8259 section 7",
)
_json_body_fault(
    "B16",
    "refuses what follows the event",
    sends="the good event with `{}` behind it",
    why=_TWO_MEANINGS,
    body=lambda event: encode(event) + b"{}",
)


_bytes_body_fault = partial(body_fault, source="RFC 8259", fix=_FIX_JSON)
_bytes_body_fault(
    "B20",
    "refuses a body that is not UTF-8",
    sends="the good event with the byte FF in a string",
    why="A decoder that replaces what it cannot read changes names.",
    body=lambda event: spell(event, "note", '"?"').replace(b'"?"', b'"\xff"'),
    source="RFC 8259 section 8.1",
)
_bytes_body_fault(
    "B21",
    "refuses UTF-16",
    sends="the good event in UTF-16",
    why=_TWO_MEANINGS,
    body=lambda event: encode(event).decode().encode("utf-16"),
    source="RFC 8259 section 8.1",
)
_bytes_body_fault(
    "B22",
    "refuses a byte order mark",
    sends="the good event behind EF BB BF",
    why="Some readers skip it and some fail; Entra sends none.",
    body=lambda event: b"\xef\xbb\xbf" + encode(event),
    source="RFC 8259 section 8.1: must not be added; ignoring it is allowed",
    level="should",
)
_bytes_body_fault(
    "B23",
    "refuses a body over 64 KiB",
    sends="the good event with a member of 64 KiB",
    why=_RESOURCES,
    body=lambda event: encode({**event, "padding": "x" * 64 * _KIB}),
    statuses=frozenset({413}),
    host_may_refuse=True,
    source="ours: twenty times the largest documented event; RFC 9110 section 15.5.14",
    fix=_FIX_SIZE,
)

"""B01 to B29: bytes and JSON, before the event means anything."""

from typing import Any, Final

from selftest.checks.bench.raw_bytes import encode, spell, twice
from selftest.checks.body.refused import BodyFault, register_faults

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


_JSON: Final = (
    BodyFault(
        id="B01", title="refuses an empty body", sends="no body", fix=_FIX_JSON, why=_SERVER_ERROR, body=lambda _: b""
    ),
    BodyFault(
        id="B02",
        title="refuses a body that is not JSON",
        sends="`type=event`",
        fix=_FIX_JSON,
        why=_SERVER_ERROR,
        body=lambda _: b"type=event",
    ),
    BodyFault(
        id="B03",
        title="refuses a truncated body",
        sends="the first half of the good event",
        fix=_FIX_JSON,
        why=_SERVER_ERROR,
        body=lambda event: encode(event)[: len(encode(event)) // 2],
    ),
    BodyFault(
        id="B04",
        title="refuses a list",
        sends="a list that holds the good event",
        fix=_FIX_JSON,
        why=_SERVER_ERROR,
        body=lambda event: encode([event]),
        bad='[{"type":…}]',
        good='{"type":…}',
    ),
    BodyFault(
        id="B05",
        title="refuses a string",
        sends="the good event as a JSON string",
        fix=_FIX_JSON,
        why="A reader that parses twice would take it.",
        body=lambda event: encode(encode(event).decode()),
    ),
    BodyFault(id="B06", title="refuses null", sends="`null`", fix=_FIX_JSON, why=_SERVER_ERROR, body=lambda _: b"null"),
    BodyFault(
        id="B07",
        title="refuses a number beyond a double",
        sends="the good event with a member 1e999",
        fix=_FIX_JSON,
        why=_TWO_MEANINGS,
        body=lambda event: spell(event, "weight", "1e999"),
        bad='{"weight":1e999}',
    ),
    BodyFault(
        id="B08",
        title="refuses NaN",
        sends="the good event with a member NaN",
        fix=_FIX_JSON,
        why="It is not JSON, and it cannot be written back.",
        body=lambda event: spell(event, "weight", "NaN"),
        bad='{"weight":NaN}',
        source="RFC 8259 section 6",
    ),
    BodyFault(
        id="B09",
        title="refuses Infinity",
        sends="the good event with a member Infinity",
        fix=_FIX_JSON,
        why="It is not JSON, and it cannot be written back.",
        body=lambda event: spell(event, "weight", "Infinity"),
        source="RFC 8259 section 6",
    ),
    BodyFault(
        id="B10",
        title="refuses a number of 5000 digits",
        sends="the good event with a member of 5000 digits",
        fix=_FIX_JSON,
        why=f"{_RESOURCES} Turning digits into a number takes time that grows with their square.",
        body=lambda event: spell(event, "weight", "9" * _DIGITS),
    ),
    BodyFault(
        id="B11",
        title="refuses a member twice",
        sends="the good event with `type` twice, of which the second is right",
        fix=_FIX_JSON,
        why=_TWO_MEANINGS,
        body=lambda event: twice(event, "type", "other"),
        bad='{"type":"other","type":"microsoft.graph…"}',
        source="RFC 7493 section 2.3",
    ),
    BodyFault(
        id="B12",
        title="refuses a member twice further in",
        sends="the good event with `data.tenantId` twice, of which the second is right",
        fix=_FIX_JSON,
        why=_TWO_MEANINGS,
        body=_nested_duplicate,
        source="RFC 7493 section 2.3",
    ),
    BodyFault(
        id="B13",
        title="refuses 20,000 nested lists",
        sends="the good event with a member of 20,000 lists in each other",
        fix=_FIX_JSON,
        why=_RESOURCES,
        body=lambda event: spell(event, "deep", "[" * _NESTED + "]" * _NESTED),
    ),
    BodyFault(
        id="B14",
        title="refuses half a surrogate pair",
        sends=r"the good event with a member \ud800",
        fix=_FIX_JSON,
        why="It is no character: writing it back, into a claim or a log, fails later and elsewhere.",
        body=lambda event: spell(event, "note", '"\\ud800"'),
        source="RFC 7493 section 2.1",
        bad=r'{"note":"\ud800"}',
    ),
    BodyFault(
        id="B15",
        title="refuses a raw control character",
        sends="the good event with a line break inside a string",
        fix=_FIX_JSON,
        why=_TWO_MEANINGS,
        body=lambda event: spell(event, "note", '"a\nb"'),
        source="RFC 8259 section 7",
    ),
    BodyFault(
        id="B16",
        title="refuses what follows the event",
        sends="the good event with `{}` behind it",
        fix=_FIX_JSON,
        why=_TWO_MEANINGS,
        body=lambda event: encode(event) + b"{}",
    ),
)

_BYTES: Final = (
    BodyFault(
        id="B20",
        title="refuses a body that is not UTF-8",
        sends="the good event with the byte FF in a string",
        fix=_FIX_JSON,
        why="A decoder that replaces what it cannot read changes names.",
        body=lambda event: spell(event, "note", '"?"').replace(b'"?"', b'"\xff"'),
        source="RFC 8259 section 8.1",
    ),
    BodyFault(
        id="B21",
        title="refuses UTF-16",
        sends="the good event in UTF-16",
        fix=_FIX_JSON,
        why=_TWO_MEANINGS,
        body=lambda event: encode(event).decode().encode("utf-16"),
        source="RFC 8259 section 8.1",
    ),
    BodyFault(
        id="B22",
        title="refuses a byte order mark",
        sends="the good event behind EF BB BF",
        fix=_FIX_JSON,
        why="Some readers skip it and some fail; Entra sends none.",
        body=lambda event: b"\xef\xbb\xbf" + encode(event),
        source="RFC 8259 section 8.1: must not be added; ignoring it is allowed",
        level="should",
    ),
    BodyFault(
        id="B23",
        title="refuses a body over 64 KiB",
        sends="the good event with a member of 64 KiB",
        why=_RESOURCES,
        body=lambda event: encode({**event, "padding": "x" * 64 * _KIB}),
        statuses=frozenset({413}),
        host_may_refuse=True,
        fix=_FIX_SIZE,
        source="ours: twenty times the largest documented event; RFC 9110 section 15.5.14",
    ),
)

register_faults(_JSON, source="RFC 8259; RFC 7493 (I-JSON)")
register_faults(_BYTES, source="RFC 8259")

"""B01 to B29: the body's bytes and JSON syntax, before the event is read."""

from typing import Any, Final

from selftest.checks.bench.raw_bytes import encode, spell, twice
from selftest.checks.body.refused import body_fault

_KIB: Final = 1024
_NESTED: Final = 20_000
_DIGITS: Final = 5_000


def _nested_duplicate(event: dict[str, Any]) -> bytes:
    data = event["data"]
    doubled = twice(data, "tenantId", "00000000-0000-4000-8000-000000000000")
    return encode({**event, "data": None}).replace(b'"data":null', b'"data":' + doubled)


body_fault("B01", lambda _: b"")
body_fault("B02", lambda _: b"type=event")
body_fault("B03", lambda event: encode(event)[: len(encode(event)) // 2])
body_fault("B04", lambda event: encode([event]))
body_fault("B05", lambda event: encode(encode(event).decode()))
body_fault("B06", lambda _: b"null")
body_fault("B07", lambda event: spell(event, "weight", "1e999"))
body_fault("B08", lambda event: spell(event, "weight", "NaN"))
body_fault("B09", lambda event: spell(event, "weight", "Infinity"))
body_fault("B10", lambda event: spell(event, "weight", "9" * _DIGITS))
body_fault("B11", lambda event: twice(event, "type", "other"))
body_fault("B12", _nested_duplicate)
body_fault("B13", lambda event: spell(event, "deep", "[" * _NESTED + "]" * _NESTED))
body_fault("B14", lambda event: spell(event, "note", '"\\ud800"'))
body_fault("B15", lambda event: spell(event, "note", '"a\nb"'))
body_fault("B16", lambda event: encode(event) + b"{}")

body_fault("B20", lambda event: spell(event, "note", '"?"').replace(b'"?"', b'"\xff"'))
body_fault("B21", lambda event: encode(event).decode().encode("utf-16"))
body_fault("B22", lambda event: b"\xef\xbb\xbf" + encode(event))
body_fault("B23", lambda event: encode({**event, "padding": "x" * 64 * _KIB}))

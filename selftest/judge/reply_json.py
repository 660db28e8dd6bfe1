"""Parse the JSON of a reply as leniently as Entra might, and record what a strict parser would have refused.

The endpoint parses requests strictly. The judge must not: a duplicate member or a byte order mark breaks no documented
rule, so it is recorded and becomes a warning, while a body that no parser accepts is an error.
"""

import contextlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, Never

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
#: The magic number of gzip (RFC 1952, section 2.3.1).
_GZIP: Final = b"\x1f\x8b"
_NOT_SPACE: Final = re.compile(r"\S")
#: More digits than any double has, and far below the limit at which Python refuses to parse an integer.
_MAX_DIGITS: Final = 400


class ReplyJsonError(ValueError):
    """The body is not JSON. The message names the reason without quoting the body."""


class ReplyObject(dict[str, Any]):
    """A JSON object that records its duplicate members; the last one of each name counts."""

    __slots__ = ("repeated",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs) if len(pairs) != len(self) else {}
        self.repeated = tuple(name for name, count in counts.items() if count > 1)


class HugeNumber(str):
    """A number outside the range of a double, as it was written, so that it can be printed as JSON."""

    __slots__ = ()


def loads(body: bytes) -> Any:
    """Parse UTF-8 JSON, with or without a byte order mark.

    Raises:
        ReplyJsonError: The body is not UTF-8 or not JSON, contains a constant such as ``NaN``, or is nested too deeply.

    Source: RFC 8259, sections 2 to 8.
    """
    try:
        with _reasons():
            return _DECODER.decode(body.removeprefix(_BYTE_ORDER_MARK).decode())
    except UnicodeDecodeError as error:
        raise ReplyJsonError(f"not UTF-8 at byte {error.start}") from error


def loads_each(text: str) -> Iterator[tuple[int, Any]]:
    """Parse JSON values that follow one another with nothing but space between, each with the place of its start.

    Raises:
        ReplyJsonError: As in `loads`.
    """
    place = len(text) - len(text.lstrip())
    while place < len(text):
        with _reasons():
            value, end = _DECODER.raw_decode(text, place)
        yield place, value
        found = _NOT_SPACE.search(text, end)
        place = len(text) if found is None else found.start()


@contextlib.contextmanager
def _reasons() -> Iterator[None]:
    """Raise what a parser raises as an error that quotes nothing."""
    try:
        yield
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" at")  # some of the parser's reasons end with it
        raise ReplyJsonError(f"not JSON: {reason} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise ReplyJsonError("nested too deeply to read") from error


def has_byte_order_mark(body: bytes) -> bool:
    """Whether the body starts with a byte order mark, which RFC 8259 forbids to send."""
    return body.startswith(_BYTE_ORDER_MARK)


def is_compressed(body: bytes) -> bool:
    """Whether the body is gzip."""
    return body.startswith(_GZIP)


def _integer(text: str) -> int | HugeNumber:
    return int(text) if len(text) <= _MAX_DIGITS else HugeNumber(text)


def _real(text: str) -> float | HugeNumber:
    number = float(text)
    return number if math.isfinite(number) else HugeNumber(text)


def _constant(name: str) -> Never:
    raise ReplyJsonError(f"not JSON: the constant {name}")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=ReplyObject, parse_int=_integer, parse_float=_real, parse_constant=_constant
)

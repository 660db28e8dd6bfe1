"""Read a reply's JSON as leniently as Entra might, and keep what a strict reader would have refused.

The endpoint reads what comes to it strictly. The judge must not: a member written twice or a byte order mark breaks no
documented rule, so it is remembered and becomes a warning, while a body that no reader accepts is an error.
"""

import json
import math
from collections import Counter
from typing import Any, Final, Never

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
#: The magic number of gzip (RFC 1952, section 2.3.1).
_GZIP: Final = b"\x1f\x8b"
#: More digits than any double has; far under the limit at which Python refuses to read an integer.
_MAX_DIGITS: Final = 400


class ReplyJsonError(ValueError):
    """Raised when the body is not JSON; the message says why without showing the body."""


class ReplyObject(dict[str, Any]):
    """A JSON object that remembers which of its members came more than once; the last one counts."""

    __slots__ = ("repeated",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs) if len(pairs) != len(self) else {}
        self.repeated = tuple(name for name, count in counts.items() if count > 1)


class HugeNumber(str):
    """A number that no double holds, as it was written: it stays printable as JSON."""

    __slots__ = ()


def loads(body: bytes) -> Any:
    """Parse UTF-8 JSON, with or without a byte order mark.

    Raises:
        ReplyJsonError: not UTF-8, not JSON, a constant such as ``NaN``, or nested deeper than the interpreter reads.

    Source: RFC 8259, sections 2 to 8.
    """
    try:
        return _DECODER.decode(body.removeprefix(_BYTE_ORDER_MARK).decode())
    except UnicodeDecodeError as error:
        raise ReplyJsonError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ReplyJsonError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise ReplyJsonError("nested too deeply to read") from error


def has_byte_order_mark(body: bytes) -> bool:
    """Say whether the body starts with the mark that RFC 8259 forbids to send."""
    return body.startswith(_BYTE_ORDER_MARK)


def is_compressed(body: bytes) -> bool:
    """Say whether the body is gzip."""
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

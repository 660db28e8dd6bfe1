"""JSON as RFC 8259 with the rules of RFC 7493 (I-JSON): one meaning or none.

A reader that lets two spellings of one document mean different things lets an attacker choose the meaning: duplicate
members, ``NaN``, numbers beyond a double, lone surrogates and byte order marks are refused. Used for every byte that
comes from outside: token header, token payload, event, metadata and key set.
"""

import json
import math
import re
from typing import Any, Never

#: RFC 8259 section 2.
_BLANKS = " \t\n\r"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class StrictJsonError(ValueError):
    """The bytes are not strict JSON; the message says which rule, never the content."""


def parse(data: bytes) -> Any:
    """Parse UTF-8 JSON.

    The caller caps the size first: the cost is linear in it.

    Raises:
        StrictJsonError: Not UTF-8, a byte order mark, not JSON, a duplicate member, a number that is not finite or
            has thousands of digits, a lone surrogate, nesting deeper than the interpreter's recursion limit.

    Source: RFC 8259 sections 4, 6 and 8; RFC 7493 sections 2.1 to 2.3.
    """
    try:
        text = data.decode().strip(_BLANKS)
        value, end = _decode(text)
        if "\\" in text and _SURROGATE_ESCAPE.search(text):  # the first is quicker, and nearly always enough
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise StrictJsonError("not UTF-8") from error
    except UnicodeEncodeError as error:
        raise StrictJsonError("a lone surrogate") from error
    except RecursionError as error:
        raise StrictJsonError("nested too deeply") from error
    except StrictJsonError:
        raise
    except ValueError as error:  # JSONDecodeError, or an integer over the interpreter's digit limit
        raise StrictJsonError("not JSON") from error
    if end != len(text):
        raise StrictJsonError("not JSON")
    return value


def parse_object(data: bytes) -> dict[str, Any]:
    """Parse UTF-8 JSON that must be an object.

    Raises:
        StrictJsonError: As `parse`, or another kind of value.
    """
    value = parse(data)
    if not isinstance(value, dict):
        raise StrictJsonError(f"not an object but a value of type {type(value).__name__}")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError("a duplicate member")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise StrictJsonError("a number beyond the range of a double")
    return number


def _no_constant(name: str) -> Never:
    raise StrictJsonError(f"the constant {name}")


_decode = json.JSONDecoder(object_pairs_hook=_members, parse_float=_finite, parse_constant=_no_constant).raw_decode

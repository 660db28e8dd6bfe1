"""Read JSON from a file strictly, and validate it against the published schema."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final, Never

from jsonschema import Draft202012Validator
from jsonschema import ValidationError as SchemaError
from msgspec import ValidationError, convert

from selftest.base.cannot_run import CannotRun

SCHEMA_PATH: Final = Path(__file__).with_name("results.schema.json")
_SHOWN_CHARACTERS: Final = 200
#: The rules whose messages name members and no values.
_OF_MEMBERS: Final = frozenset({"required", "additionalProperties"})
_SHORT_CHARACTERS: Final = 20
#: More than any measurement, and than a seed of 64 bits; with much more the arithmetic of a figure has no result.
_LARGEST: Final = 2**64


class ReportError(CannotRun):
    """A file does not contain results. The message names the place in it and what was expected."""


def loads(data: bytes | str) -> Any:
    """Parse JSON, without the constants that JSON does not have and the numbers that no results have.

    Raises:
        ReportError: The data is empty or not JSON.
    """
    if not data.strip():
        raise ReportError("it is empty; was it written completely?")
    try:
        return json.loads(data, parse_constant=_no_constant, parse_float=_number, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"not JSON: {error}") from error


def require_fit(members: Any, definition: str | None = None) -> None:
    """Validate a value against the schema, or against one of its definitions.

    Raises:
        ReportError: The value does not fit the schema. The message names the first wrong member.
    """
    faults = _validator(definition).iter_errors(members)
    try:
        fault = min(faults, key=lambda error: list(map(str, error.absolute_path)), default=None)
    except RecursionError as error:
        raise ReportError("nested too deeply for results") from error
    if fault is not None:
        raise ReportError(f"{fault.json_path}: {_reason(fault)}")


def fitted[Found](members: Any, kind: type[Found], definition: str | None = None) -> Found:
    """Return a value as a dataclass, once it fits the schema or one of its definitions.

    Raises:
        ReportError: As in `require_fit`.
    """
    require_fit(members, definition)
    try:
        return convert(members, kind, strict=False)
    except ValidationError as error:  # a number that no computer counts with
        raise ReportError(str(error)) from error


def _reason(fault: SchemaError) -> str:
    """Return what is wrong; of the value nothing but a short text of the right type: the file may be another one."""
    short = isinstance(fault.instance, str) and len(fault.instance) <= _SHORT_CHARACTERS and fault.validator != "type"
    if short or fault.validator in _OF_MEMBERS:
        return fault.message[:_SHOWN_CHARACTERS]
    return f"expected {fault.validator} {str(fault.validator_value)[:_SHOWN_CHARACTERS]}"


@cache
def _validator(definition: str | None) -> Draft202012Validator:
    schema = json.loads(SCHEMA_PATH.read_bytes())
    if definition is None:
        return Draft202012Validator(schema)
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]})


def _no_constant(name: str) -> Never:
    raise ValueError(f"the constant {name}")


def _number(text: str) -> float:
    number = float(text) if {*text} & {*".eE"} else int(text)
    if not abs(number) <= _LARGEST:
        raise ValueError(f"the number {text[:20]}")
    return number

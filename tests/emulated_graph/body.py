"""Checks a request's body: the members of its type, their kinds, and the members that a create needs.

The emulated Graph is never more permissive here than Microsoft's description: a member that v1.0 does not have is
refused, also where the beta version has it.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from selftest.tenant.graph.surface import Version
from tests.emulated_graph.operations import Operation
from tests.emulated_graph.refusal import bad_request
from tests.emulated_graph.types import (
    ABSTRACT,
    NAVIGATION,
    PRIMITIVES,
    READ_ONLY,
    Shape,
    derives,
    members,
    names,
)

_TYPE: Final = "@odata.type"
_PREFIX: Final = "microsoft.graph."
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")


def check_body(operation: Operation, body: object, version: Version) -> dict[str, Any]:
    """Return the body if Graph accepts it.

    Raises:
        Refusal: It is not an object, has an unknown member, a value of another kind, or a member that only Graph sets;
            or a member that a create needs is missing.
    """
    if operation.body is None:
        if body is not None:
            raise bad_request("A request body is not allowed for this request.")
        return {}
    if not isinstance(body, dict):
        raise bad_request("The request body has to be a JSON object.")
    _check(operation.body, body, operation.body, version)
    if fixed := sorted((READ_ONLY.get(operation.body, frozenset()) - _settable(operation)) & body.keys()):
        raise bad_request(f"Property '{fixed[0]}' is read-only and cannot be set.")
    if relations := sorted(NAVIGATION.get(operation.body, frozenset()) & body.keys()):
        raise bad_request(f"'{relations[0]}' is a relation; it has a separate path.")
    if missing := [name for name in operation.required if body.get(name) in (None, "", [])]:
        raise bad_request(f"A value is required for property '{missing[0]}'.")
    return body


def _settable(operation: Operation) -> frozenset[str]:
    """Return the read-only members that a create may set."""
    return frozenset(operation.required) if operation.method == "POST" else frozenset()


def _check(name: str, value: Mapping[str, Any], place: str, version: Version) -> None:
    actual = _actual_type(name, value, place)
    known = members(actual, version)
    for member, inner in value.items():
        if member == _TYPE:
            continue
        if member not in known:
            raise bad_request(f"Invalid property '{member}' on type '{_PREFIX}{actual}'.")
        _check_value(known[member], inner, f"{place}.{member}", version)


def _actual_type(name: str, value: Mapping[str, Any], place: str) -> str:
    given = value.get(_TYPE)
    if given is None:
        if name in ABSTRACT:
            raise bad_request(f"'{place}' needs the member {_TYPE}: there are several kinds of {_PREFIX}{name}.")
        return name
    actual = str(given).removeprefix("#").removeprefix(_PREFIX)
    if not str(given).startswith(f"#{_PREFIX}") or actual not in set(names()) or not derives(actual, name):
        raise bad_request(f"'{place}' cannot be of the type '{given}': {_PREFIX}{name} is wanted.")
    return actual


def _check_value(shape: Shape, value: object, place: str, version: Version) -> None:
    if isinstance(shape, tuple):
        if not isinstance(value, list):
            raise bad_request(f"'{place}' has to be a collection.")
        for item in value:
            if item is None:
                raise bad_request(f"'{place}' contains a null.")
            _check_value(shape[0], item, place, version)
    elif shape in PRIMITIVES:
        if value is not None and not _is(shape, value):
            raise bad_request(f"Cannot convert the value of '{place}' to the expected type '{shape}'.")
    elif isinstance(value, dict):
        _check(shape, value, place, version)
    elif value is not None:
        raise bad_request(f"'{place}' has to be an object.")


def _is(primitive: str, value: object) -> bool:
    match primitive:
        case "bool":
            return isinstance(value, bool)
        case "int32":
            return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
        case "guid":
            return isinstance(value, str) and _is_guid(value)
        case "time":
            return isinstance(value, str) and _TIME.fullmatch(value) is not None
    return isinstance(value, str)


def _is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False

"""The base of models of Graph's objects: declared members are checked, all others are ignored.

Graph omits a member that was not selected and writes null where nothing is set, so both read as the default. Graph adds
members at any time, so an unknown one is not an error. A member of another type than the documented one is an error:
the file was written by hand, or is a different file.
"""

import functools
from typing import Any

from msgspec import Struct, ValidationError, convert, field
from msgspec.structs import fields


class ShapeError(ValueError):
    """A member has another type than Graph gives it; the message holds its path and both types, never its value."""


class ObjectId(str):
    """An id in lower case; empty where there is no id. People write ids in upper case, Graph does not."""

    __slots__ = ()


class GraphModel(Struct, frozen=True, kw_only=True, rename="camel"):
    """A JSON object of Graph's.

    Attributes:
        odata_type: Its type; None where Graph did not write it.
    """

    odata_type: str | None = field(default=None, name="@odata.type")


class ObjectReference(GraphModel, frozen=True):
    """An object of which its id alone matters."""

    id: ObjectId = ObjectId()


def read_model[Model: GraphModel](model: type[Model], value: object, place: str) -> Model:
    """Return a JSON value as a model.

    Raises:
        ShapeError: The value or a member of it has another type than the model's.
    """
    try:
        return convert(_without_nulls(value), model, dec_hook=_decode)
    except ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise ShapeError(f"{path.strip('.`') or place}: {reason[:1].lower()}{reason[1:]}") from error
    except RecursionError as error:
        raise ShapeError(f"{place} is nested too deeply") from error


@functools.cache  # msgspec evaluates every annotation again, and an export has thousands of objects
def members(model: type[GraphModel]) -> tuple[tuple[str, Any], ...]:
    """Return the name in JSON and the type of every declared member."""
    return tuple((member.encode_name, member.type) for member in fields(model))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


def _decode(kind: type, value: object) -> object:
    """Return an id in lower case; msgspec reads all other types, and refuses a value that is not of the type."""
    return ObjectId(value.lower()) if kind is ObjectId and isinstance(value, str) else value

"""Reading members of Graph's objects: absent and null are the same, another type is an error with its path.

Graph leaves out what was not selected and writes null where nothing is set, so neither can be told from the other. A
member of another type than the documented one is not Graph's: the file was written by hand, or is a different file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_KINDS = {type(None): "null", bool: "a boolean", str: "a string", list: "a list", dict: "an object"}


class ShapeError(ValueError):
    """Raised when a member has another type than Graph gives it; the message holds its path and both types."""


@dataclass(frozen=True, slots=True)
class Members:
    """One JSON object and where it stands.

    Attributes:
        path: ``applications[0].api``, for messages.
    """

    values: Mapping[str, Any]
    path: str

    @classmethod
    def of(cls, value: object, path: str) -> Self:
        """Take a value that has to be an object.

        Raises:
            ShapeError: It is none.
        """
        if not isinstance(value, dict):
            raise ShapeError(f"{path} should be an object, it is {kind(value)}")
        return cls(value, path)

    def text(self, name: str) -> str | None:
        """Read a string; so do the others of this class, each a type of its own, and all raise alike.

        Raises:
            ShapeError: It is something else.
        """
        value = self.values.get(name)
        if not isinstance(value, str | None):
            raise self._wrong(name, "a string")
        return value

    def flag(self, name: str) -> bool | None:
        """Read a boolean."""
        value = self.values.get(name)
        if not isinstance(value, bool | None):
            raise self._wrong(name, "true or false")
        return value

    def number(self, name: str) -> int | None:
        """Read a whole number; JSON's true is none."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | None):
            raise self._wrong(name, "a whole number")
        return value

    def part(self, name: str) -> Self:
        """Read an object; an absent one reads as an empty one."""
        value = self.values.get(name)
        return type(self).of({} if value is None else value, f"{self.path}.{name}")

    def parts(self, name: str) -> tuple[Self, ...] | None:
        """Read a list of objects; None where there is none, which is not the same as an empty one."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._wrong(name, "a list of objects")
        return tuple(type(self).of(item, f"{self.path}.{name}[{index}]") for index, item in enumerate(value))

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Read a list of strings; None where there is none."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a list of strings")
        return tuple(value)

    def guid(self, name: str) -> str:
        """Read an id, in lower case; empty where there is none."""
        return (self.text(name) or "").lower()

    def _wrong(self, name: str, wanted: str) -> ShapeError:
        return ShapeError(f"{self.path}.{name} should be {wanted}, it is {kind(self.values.get(name))}")


def kind(value: object) -> str:
    """Name the JSON type of a value, never the value."""
    return _KINDS.get(type(value), "a number")

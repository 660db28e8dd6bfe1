"""The published types of Azure's resources, as the Bicep compiler has them.

The file is Azure's and is not part of this project: it is found by a path given from outside, and without it the rules
that need it are skipped, visibly. The format is that of Azure/bicep-types: ``types``, which refer to each other by
index, and ``resources``, by ``type@version``.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.checker.finding import Finding
from infra.checker.published import find_published

ENVIRONMENT_VARIABLE: Final = "BICEP_TYPES"
NAME: Final = "bicep-types-subset.json"
_REQUIRED: Final = 1
_READ_ONLY: Final = 2


@dataclass(frozen=True, slots=True)
class Member:
    """One property of an object type."""

    type: int
    flags: int

    @property
    def required(self) -> bool:
        """It has to be set."""
        return bool(self.flags & _REQUIRED)

    @property
    def read_only(self) -> bool:
        """It can be read, and setting it is an error."""
        return bool(self.flags & _READ_ONLY)


class PublishedTypes:
    """The types, to be looked up by index."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._types: list[dict[str, Any]] = document["types"]
        self._resources = {name.lower(): index for name, index in document["resources"].items()}
        self._written = {name.lower(): name for name in document["resources"]}
        #: A copy whose descriptions were taken out has lost the properties of that name too; nothing is known of them.
        self.unknowable = frozenset() if _names_descriptions(self._types) else frozenset({"description"})

    def kind(self, index: int) -> str:
        """Name the kind of a type, without the word Type."""
        return str(self._types[index]["$type"]).removesuffix("Type")

    def raw(self, index: int) -> dict[str, Any]:
        """Give a type as it is published."""
        return self._types[index]

    def body(self, name: str) -> int | None:
        """Give the body of a resource by ``type@version``, or None when it is not among those published here."""
        index = self._resources.get(name.lower())
        return None if index is None else self._types[index]["body"]["$ref"]

    def writable_scopes(self, name: str) -> int:
        """Give where a resource can be deployed: 1 tenant, 2 management group, 4 subscription, 8 group, 16 resource."""
        return int(self._types[self._resources[name.lower()]].get("writableScopes", 31))

    def versions(self, name: str) -> list[str]:
        """Name the versions that are published of a type."""
        wanted = name.partition("@")[0].lower()
        return sorted(
            known.partition("@")[2] for known in self._written.values() if known.lower().startswith(f"{wanted}@")
        )

    def members(self, index: int, discriminator: str | None = None) -> dict[str, Member]:
        """Name the properties of an object, or of the variant of a discriminated one that a value chooses."""
        shape = self._types[index]
        if shape["$type"] == "DiscriminatedObjectType":
            own = _members(shape.get("baseProperties", {}))
            chosen = shape["elements"].get(discriminator or "")
            return own | (self.members(chosen["$ref"]) if chosen else {})
        return _members(shape.get("properties", {}))

    def elements(self, index: int) -> list[int]:
        """Give the parts of a union."""
        return [int(part["$ref"]) for part in self._types[index].get("elements", [])]

    def item(self, index: int) -> int:
        """Give what an array holds."""
        return int(self._types[index]["itemType"]["$ref"])

    def further(self, index: int) -> int | None:
        """Give the type of the properties that an object does not name; None where it takes no others."""
        more = self._types[index].get("additionalProperties")
        return int(more["$ref"]) if more else None


def find_types(root: Path, given: Path | None = None) -> Path | None:
    """Find the file: the one given, the environment's, or the one beside the checkout; None when there is none."""
    return find_published(root, NAME, ENVIRONMENT_VARIABLE, given)


def load_types(path: Path) -> PublishedTypes:
    """Read the types.

    Raises:
        ValueError: it is no such file.
    """
    try:
        return PublishedTypes(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name} holds no Bicep types: {error}") from error


def missing_type(types: PublishedTypes, name: str, file: Path, line: int) -> Finding:
    """Say that a resource's type or version is not published."""
    versions = types.versions(name)
    known = f"known of it: {', '.join(versions)}" if versions else "nothing of that type is among the published ones"
    return Finding(file, line, "type", f"there is no {name}; {known}")


def _members(properties: dict[str, Any]) -> dict[str, Member]:
    return {name: Member(int(entry["type"]["$ref"]), int(entry["flags"])) for name, entry in properties.items()}


def _names_descriptions(types: list[dict[str, Any]]) -> bool:
    return any("description" in entry.get("properties", {}) for entry in types)

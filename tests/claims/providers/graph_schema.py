"""The published description of Microsoft Graph, as far as the provider uses it, and a check against it.

The OpenAPI subset is given from outside: the directory that ``GRAPH_SCHEMA_DIR`` names, or a ``data`` directory beside
or above the checkout. It has no ``/users`` paths; what is used of those stands here, with the page that it is from.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import yaml

NAME: Final = "graph-subset-v1.0.yaml"
_PREFIX: Final = "#/components/schemas/"

#: Source: microsoft-graph-docs v1.0 ``user-get.md``, ``resources/user.md``, ``user-list-transitivememberof.md``,
#: ``user-list-approleassignments.md``, ``resources/group.md``.
_USER_PATHS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "/users/{user-id}": ("microsoft.graph.user", ("$select", "$expand")),
    "/users/{user-id}/transitiveMemberOf/microsoft.graph.group": (
        "microsoft.graph.groupCollectionResponse",
        ("$select", "$search", "$count", "$filter", "$top", "$orderby"),
    ),
    "/users/{user-id}/appRoleAssignments": (
        "microsoft.graph.appRoleAssignmentCollectionResponse",
        ("$select", "$count", "$filter", "$top", "$orderby"),
    ),
}
_TEXT: Final = {"type": "string"}
_USER_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "microsoft.graph.user": {
        "properties": {
            "department": _TEXT,
            "employeeId": _TEXT,
            "onPremisesExtensionAttributes": {
                "type": "object",
                "properties": {f"extensionAttribute{number}": _TEXT for number in range(1, 16)},
            },
        },
        "x-extensions": True,
    },
    "microsoft.graph.group": {"properties": {"id": _TEXT, "displayName": _TEXT}},
    "microsoft.graph.groupCollectionResponse": {
        "properties": {
            "@odata.nextLink": _TEXT,
            "value": {"type": "array", "items": {"$ref": f"{_PREFIX}microsoft.graph.group"}},
        }
    },
}


def schema_file() -> Path | None:
    """Find the published subset, or None."""
    if given := os.environ.get("GRAPH_SCHEMA_DIR"):
        return Path(given) / NAME
    above = Path(__file__).resolve().parents
    found = (path for parent in above for path in (*parent.glob(f"data/{NAME}"), *parent.glob(f"*/data/{NAME}")))
    return next(found, None)


@dataclass(frozen=True)
class GraphSchema:
    """Paths and types."""

    paths: Mapping[str, Any]
    schemas: Mapping[str, Any]

    @classmethod
    def load(cls, file: Path) -> "GraphSchema":
        """Read the published subset and add the paths that it leaves out."""
        document = yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both safe)
        return cls(document["paths"], {**document["components"]["schemas"], **_USER_SCHEMAS})

    def violations(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Iterator[str]:
        """Say what a request does that Graph does not describe."""
        found = self._operation(method, path)
        if found is None:
            yield f"{method} {path} is not described"
            return
        response, options = found
        yield from (f"{path}: {name} is not described" for name in query if name not in options)
        known = self._item_properties(response)
        for name in query.get("$select", "").split(","):
            if name and name not in known and not self._is_extension(response, name):
                yield f"{path}: $select names {name}, which is no property"
        advanced = headers.get("consistencylevel") == "eventual" and query.get("$count") == "true"
        if "/microsoft.graph." in path and not advanced:
            yield f"{path}: a cast needs ConsistencyLevel: eventual and $count=true"

    def misfits(self, path: str, body: Mapping[str, Any]) -> Iterator[str]:
        """Say where an answer of the loopback Graph is not one of Graph's."""
        found = self._operation("GET", path)
        assert found is not None
        yield from self._object(found[0], {k: v for k, v in body.items() if not k.startswith("@odata.")})

    def _operation(self, method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
        for template, (response, options) in _USER_PATHS.items():
            if method == "GET" and _matches(template, path):
                return response, options
        for template, operations in self.paths.items():
            if _matches(template, path) and method.lower() in operations:
                operation = operations[method.lower()]
                schema = operation["responses"]["2XX"]["content"]["application/json"]["schema"]["$ref"]
                options = tuple(entry["name"] for entry in operation["parameters"] if entry["in"] == "query")
                return schema.removeprefix(_PREFIX), options
        return None

    def _properties(self, name: str) -> dict[str, Any]:
        schema = self.schemas[name]
        properties = dict(schema.get("properties", {}))
        for base in schema.get("allOf", ()):
            properties |= self._properties(base["$ref"].removeprefix(_PREFIX))
        return properties

    def _item_properties(self, name: str) -> dict[str, Any]:
        properties = self._properties(name)
        if "value" in properties and name.endswith("CollectionResponse"):
            return self._properties(properties["value"]["items"]["$ref"].removeprefix(_PREFIX))
        return properties

    def _is_extension(self, name: str, prop: str) -> bool:
        extended = self.schemas[name].get("x-extensions", False)
        return bool(extended and re.fullmatch(r"extension_[0-9a-f]{32}_\w+", prop))

    def _object(self, name: str, body: Mapping[str, Any]) -> Iterator[str]:
        known = self._properties(name)
        for member, value in body.items():
            if self._is_extension(name, member):
                continue
            if member not in known:
                yield f"{name} has no {member}"
                continue
            yield from self._fits(f"{name}.{member}", known[member], value)

    def _fits(self, place: str, schema: Mapping[str, Any], value: object) -> Iterator[str]:
        if "$ref" in schema:
            assert isinstance(value, dict)
            yield from self._object(schema["$ref"].removeprefix(_PREFIX), value)
        elif schema.get("type") == "array":
            assert isinstance(value, list)
            for item in value:
                yield from self._fits(place, schema["items"], item)
        elif schema.get("type") == "string" and not (isinstance(value, str) or value is None):
            yield f"{place} is not a string"
        elif schema.get("type") == "boolean" and not isinstance(value, bool):
            yield f"{place} is not a boolean"


def _matches(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/()']+", re.escape(template))
    return re.fullmatch(pattern, unquote(path)) is not None

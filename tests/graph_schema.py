"""The published description of Microsoft Graph, as far as the project uses it, and a check against it.

The OpenAPI subsets are given from outside: the directory that ``GRAPH_SCHEMA_DIR`` names, or a ``data`` directory
beside or above the checkout. They have no ``/users`` paths; what is used of those stands here, with the page that it
is from. They prove names, types and ``@odata.type`` families, not which members are mandatory and which may be null.
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
BETA: Final = "graph-subset-beta.yaml"
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


def schema_file(name: str = NAME) -> Path | None:
    """Find the published subset, or None."""
    if given := os.environ.get("GRAPH_SCHEMA_DIR"):
        return Path(given) / name
    above = Path(__file__).resolve().parents
    found = (path for parent in above for path in (*parent.glob(f"data/{name}"), *parent.glob(f"*/data/{name}")))
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
        known = self._item_properties(response) if response else {}
        for name in query.get("$select", "").split(","):
            if name and name not in known and not self._is_extension(response, name):
                yield f"{path}: $select names {name}, which is no property"
        advanced = headers.get("consistencylevel") == "eventual" and query.get("$count") == "true"
        if "/microsoft.graph." in path and not advanced:
            yield f"{path}: a cast needs ConsistencyLevel: eventual and $count=true"

    def misfits(self, path: str, body: Mapping[str, Any], *, method: str = "GET") -> Iterator[str]:
        """Say where an answer of a loopback Graph is not one of Graph's."""
        found = self._operation(method, path)
        assert found is not None, f"{method} {path} is not described"
        yield from self._object(found[0], body)

    def body_misfits(self, method: str, path: str, body: Mapping[str, Any] | None) -> Iterator[str]:
        """Say where a request's body is not one that Graph describes."""
        wanted = self.request_body(method, path)
        if wanted is None or body is None:
            if wanted is not None or body is not None:
                yield f"{method} {path}: a body is {'needed' if wanted else 'not described'}"
            return
        yield from self._object(wanted, body)

    def request_body(self, method: str, path: str) -> str | None:
        """Name the type of a request's body; None where there is none."""
        for template, operations in self.paths.items():
            if _matches(template, path) and method.lower() in operations:
                content = operations[method.lower()].get("requestBody", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema", {}).get("$ref", "")
                return schema.removeprefix(_PREFIX) or None
        return None

    def properties(self, name: str) -> dict[str, Any]:
        """Give a type's properties with those that it inherits."""
        return self._properties(name)

    def derives(self, name: str, base: str) -> bool:
        """Say whether a type is another one or derives from it."""
        bases = [entry["$ref"].removeprefix(_PREFIX) for entry in self.schemas[name].get("allOf", ())]
        return name == base or any(self.derives(each, base) for each in bases)

    def _operation(self, method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
        for template, (response, options) in _USER_PATHS.items():
            if method == "GET" and _matches(template, path):
                return response, options
        for template, operations in self.paths.items():
            if _matches(template, path) and method.lower() in operations:
                operation = operations[method.lower()]
                content = operation["responses"].get("2XX", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema", {}).get("$ref", "")
                options = tuple(entry["name"] for entry in operation.get("parameters", ()) if entry["in"] == "query")
                return schema.removeprefix(_PREFIX), options
        return None

    def _properties(self, name: str) -> dict[str, Any]:
        schema = self.schemas[name]
        properties: dict[str, Any] = {name: {} for name in schema.get("x-subset-omitted-properties", ())}
        properties |= schema.get("properties", {})
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
        actual = str(body.get("@odata.type", f"#{name}")).removeprefix("#")
        if actual not in self.schemas or not self.derives(actual, name):
            yield f"{actual} is no {name}"
            return
        known = self._properties(actual)
        for member, value in body.items():
            if member.startswith("@odata.") or self._is_extension(actual, member):
                continue
            if member not in known:
                yield f"{actual} has no {member}"
                continue
            yield from self._fits(f"{actual}.{member}", known[member], value)

    def _fits(self, place: str, schema: Mapping[str, Any], value: object) -> Iterator[str]:
        reference = schema.get("$ref") or next((entry["$ref"] for entry in schema.get("allOf", ())), None)
        if value is None:  # what may be null is not described
            return
        if reference is not None:
            name = reference.removeprefix(_PREFIX)
            if "enum" in self.schemas[name]:
                if value not in self.schemas[name]["enum"]:
                    yield f"{place} is none of the values of {name}"
            elif isinstance(value, dict):
                yield from self._object(name, value)
            else:
                yield f"{place} is not an object"
        elif schema.get("type") == "array":
            for item in value if isinstance(value, list) else ():
                yield from self._fits(place, schema["items"], item)
            if not isinstance(value, list):
                yield f"{place} is not a list"
        elif not isinstance(value, _JSON[schema.get("type", "string")]) or (
            isinstance(value, bool) and schema.get("type") == "integer"
        ):
            yield f"{place} is not of the type {schema.get('type', 'string')}"


_JSON: Final[dict[str, type]] = {"string": str, "boolean": bool, "integer": int, "object": dict}


def _matches(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/()']+", re.escape(template))
    return re.fullmatch(pattern, unquote(path)) is not None

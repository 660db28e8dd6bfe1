"""Every resource against its published type, and where it may be deployed."""

from typing import Final

from tree_sitter import Node

from infra.checker.bicep import BicepFile, Declaration, literal, member, members, text, walk
from infra.checker.finding import Finding
from infra.checker.published_types import PublishedTypes, missing_type
from infra.checker.shapes import Shapes

#: What Bicep itself has on every resource.
_BESIDE: Final = frozenset({"scope", "dependsOn", "parent"})
#: A path inside a longer one is followed with it; one that is called is a function.
_LONGER: Final = {"member_expression", "call_expression"}
_SCOPES: Final = {"tenant": 1, "managementGroup": 2, "subscription": 4, "resourceGroup": 8}


def resource_findings(file: BicepFile, types: PublishedTypes) -> list[Finding]:
    """Find every unknown type, version, property and value in a file's resources, and every wrong scope."""
    found = []
    for resource in file.of("resource"):
        name = resource.whole_type()
        if types.body(name) is None:
            found.append(missing_type(types, name, file.path, resource.line))
            continue
        found += _body(file, resource, types)
        found += _scope(file, resource, types)
    return found + _read_paths(file, types)


def _body(file: BicepFile, resource: Declaration, types: PublishedTypes) -> list[Finding]:
    index = types.body(resource.whole_type())
    if index is None or resource.value is None or resource.value.type != "object":
        return []
    if resource.existing:
        given = [(name, prop) for name, _, prop in members(resource.value) if name not in _BESIDE | {"name"}]
        return [
            Finding(
                file.path, prop.start_point[0] + 1, "existing", f"{resource.name} exists: {name} cannot be set here"
            )
            for name, prop in given
        ]
    return Shapes(file, types).check_object(resource.value, index, resource.name, beside=_BESIDE)


def _scope(file: BicepFile, resource: Declaration, types: PublishedTypes) -> list[Finding]:
    own = member(resource.value, "scope") is not None or resource.parent or member(resource.value, "parent")
    if own or resource.existing or types.writable_scopes(resource.whole_type()) & _SCOPES[file.scope]:
        return []
    message = f"{resource.name} ({resource.type_name}) cannot be deployed at the scope {file.scope}"
    return [Finding(file.path, resource.line, "scope", message)]


def _read_paths(file: BicepFile, types: PublishedTypes) -> list[Finding]:
    """Follow ``storage.properties.primaryEndpoints.blob`` and the like through the types."""
    symbols = {one.name: one for one in file.of("resource")}
    found = []
    for node in walk(file.root):
        if node.type != "member_expression" or (node.parent and node.parent.type in _LONGER):
            continue
        root, path = _path(node)
        resource = symbols.get(root)
        if resource is None:
            continue
        wrong = _follow(types, types.body(resource.whole_type()), path)
        if wrong:
            message = f"{resource.name} ({resource.type_name}) has no {'.'.join(path[:wrong])}"
            found.append(Finding(file.path, node.start_point[0] + 1, "read", message))
    return found


def _path(node: Node) -> tuple[str, list[str]]:
    """Split ``a.b.c`` into its root and the rest; an index is passed over."""
    if node.type == "member_expression":
        root, path = _path(node.named_children[0])
        return root, [*path, text(node.named_children[-1])]
    if node.type == "subscript_expression":
        root, path = _path(node.named_children[0])
        key = literal(node.named_children[-1])
        return root, [*path, key if key is not None else "[]"]
    if node.type == "resource_expression":
        return text(node.named_children[-1]), []
    return (text(node), []) if node.type == "identifier" else ("", [])


def _follow(types: PublishedTypes, index: int | None, path: list[str]) -> int | None:
    """Give the position of the first member that is not there, counted from 1; None when all are."""
    for position, name in enumerate(path):
        if index is None:
            return None
        kind = types.kind(index)
        if kind == "Array" and name == "[]":
            index = types.item(index)
        elif kind == "Object":
            known = types.members(index)
            if name not in known and types.further(index) is None:
                return position + 1
            index = known[name].type if name in known else types.further(index)
        else:
            return None
    return None

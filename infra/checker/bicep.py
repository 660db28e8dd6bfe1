"""A Bicep file, read: its declarations, each with the part of the syntax tree that says it.

Syntax comes from tree-sitter's grammar for Bicep, which knows all but the ``extension`` line; that is blanked first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from infra.checker.finding import Finding

type Kind = Literal["param", "var", "resource", "module", "output", "func", "type"]

_PARSER: Final = Parser(Language(tree_sitter_bicep.language()))
_EXTENSION: Final = re.compile(rb"(?m)^extension\s+[^\n]*")
_KINDS: Final[dict[str, Kind]] = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
    "user_defined_function": "func",
    "type_declaration": "type",
}
#: What stands between a declaration's name and its body.
_WRAPPERS: Final = {"if_statement", "for_statement"}


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """One declaration.

    Attributes:
        kind: what it declares.
        name: its symbol.
        node: all of it.
        decorators: by name, their arguments.
        value: the default of a parameter, the expression of a variable or output, the body of a resource or module.
        type_name: of a parameter or output, as written; of a resource ``type@version``; of a module its path.
        existing: a resource that is only referred to.
        loop: one of many, from a ``for``.
        parent: the resource that it is nested in.
        children: the resources nested in it.
    """

    kind: Kind
    name: str
    node: Node
    decorators: dict[str, list[Node]]
    value: Node | None
    type_name: str
    existing: bool = False
    loop: bool = False
    parent: "Declaration | None" = None
    children: list["Declaration"] = field(default_factory=list)

    @property
    def line(self) -> int:
        """Where it begins, counted from 1."""
        return self.node.start_point[0] + 1

    def whole_type(self) -> str:
        """Give a resource's type and version, those of its parent included."""
        own, _, version = self.type_name.partition("@")
        if self.parent is None:
            return self.type_name
        above, _, above_version = self.parent.whole_type().partition("@")
        return f"{above}/{own}@{version or above_version}"


@dataclass(frozen=True, slots=True, eq=False)
class BicepFile:
    """A file.

    Attributes:
        path: where it is.
        root: its syntax tree.
        scope: ``targetScope``; a resource group where nothing is said.
        declarations: those at the top, in their order.
    """

    path: Path
    root: Node
    scope: str
    declarations: tuple[Declaration, ...]

    def of(self, *kinds: Kind) -> list[Declaration]:
        """Give the declarations of these kinds, nested resources included."""
        return [found for top in self.declarations for found in _with_children(top) if found.kind in kinds]

    def symbols(self) -> dict[str, Declaration]:
        """Give what can be referred to from everywhere in the file; outputs cannot."""
        return {found.name: found for found in self.declarations if found.kind != "output"}


def read(path: Path) -> BicepFile:
    """Read a file; what it has of errors, `syntax_findings` tells.

    Raises:
        OSError: it cannot be read.
    """
    text = _EXTENSION.sub(lambda found: b" " * len(found[0]), path.read_bytes())
    root = _PARSER.parse(text).root_node
    scope = "resourceGroup"
    found, decorators = [], dict[str, list[Node]]()
    for node in root.named_children:
        if node.type == "decorators":
            decorators = _decorators(node)
        elif node.type == "target_scope_assignment":
            scope = literal(node.named_children[-1]) or scope
        elif node.type in _KINDS:
            found.append(_declaration(node, decorators, None))
            decorators = {}
    return BicepFile(path, root, scope, tuple(found))


def syntax_findings(file: BicepFile) -> list[Finding]:
    """Find what the grammar could not read; an error inside an error is told once."""
    found = [
        Finding(file.path, node.start_point[0] + 1, "syntax", f"cannot be read near {text(node)[:40]!r}")
        for node in walk(file.root)
        if (node.is_error or node.is_missing) and not (node.parent and node.parent.is_error)
    ]
    return found[:3]


def walk(node: Node) -> Iterator[Node]:
    """Give a node and everything below it, in the order of the text."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    """Give what stands there."""
    return (node.text or b"").decode()


def literal(node: Node | None) -> str | None:
    """Give the text of a string without interpolation; None for everything else."""
    if node is None or node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return unescape("".join(text(child) for child in node.named_children if child.type != "comment"))


def unescape(written: str) -> str:
    """Undo Bicep's escapes."""
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r", "t": "\t"}.get(found[1], found[1]), written)


def members(node: Node) -> Iterator[tuple[str, Node, Node]]:
    """Give an object's members: name, value, and the whole property. Nested resources and computed names are not."""
    for prop in node.named_children:
        if prop.type != "object_property" or len(prop.named_children) < 2:  # noqa: PLR2004 (a name and a value)
            continue
        key, value = prop.named_children[0], prop.named_children[-1]
        name = text(key) if key.type in {"identifier", "property_identifier"} else literal(key)
        if name is not None and value.type != "resource_declaration":
            yield name, value, prop


def member(node: Node | None, name: str) -> Node | None:
    """Give one member's value, or None."""
    if node is None or node.type != "object":
        return None
    return next((value for key, value, _ in members(node) if key == name), None)


def _with_children(top: Declaration) -> Iterator[Declaration]:
    yield top
    for child in top.children:
        yield from _with_children(child)


def _decorators(node: Node) -> dict[str, list[Node]]:
    found = {}
    for call in (child for decorator in node.named_children for child in decorator.named_children):
        if call.type == "call_expression":
            arguments = [child for part in call.named_children[1:] for child in part.named_children]
            found[text(call.named_children[0]).removeprefix("sys.")] = arguments
    return found


def _declaration(node: Node, decorators: dict[str, list[Node]], parent: Declaration | None) -> Declaration:
    kind = _KINDS[node.type]
    parts = [child for child in node.named_children if child.type != "comment"]
    name, rest = text(parts[0]), parts[1:]
    type_name = ""
    if kind in {"resource", "module"} and rest:
        type_name, rest = literal(rest[0]) or "", rest[1:]
    elif rest and rest[0].type == "type":
        type_name, rest = text(rest[0]), rest[1:]
    value, loop = (rest[-1] if rest else None), False
    while value is not None and value.type in _WRAPPERS:
        loop = loop or value.type == "for_statement"
        value = value.named_children[-1]
    existing = any(child.type == "existing" for child in node.children)
    made = Declaration(kind, name, node, decorators, value, type_name, existing, loop, parent)
    if kind == "resource" and value is not None and value.type == "object":
        made.children.extend(_nested(value, made))
    return made


def _nested(body: Node, parent: Declaration) -> Iterator[Declaration]:
    decorators = dict[str, list[Node]]()
    for prop in body.named_children:
        for child in [prop, *prop.named_children]:
            if child.type == "decorators":
                decorators = _decorators(child)
            elif child.type == "resource_declaration":
                yield _declaration(child, decorators, parent)
                decorators = {}

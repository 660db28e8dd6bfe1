"""What has to be known before the deployment starts: names, conditions, and how often a loop runs.

Azure plans a deployment before it makes anything. A resource's name that needs another one's principal id, or a loop
over a module's outputs, is refused by the compiler (BCP120, BCP178).
"""

from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from infra.checker.bicep import BicepFile, Declaration, member, text, walk
from infra.checker.finding import Finding
from infra.checker.names import references_in

#: Of a resource, all that is known beforehand. Source: Bicep documentation, "BCP120".
_KNOWN: Final = {"id", "name", "type", "apiVersion", "scope"}


def early_findings(file: BicepFile) -> list[Finding]:
    """Find names, conditions and loops that need what only the deployment brings."""
    found = []
    for what, node in _planned(file):
        late = _late(node, file, set())
        if late:
            message = f"{what} needs {late}, which is known only when the deployment runs"
            found.append(Finding(file.path, node.start_point[0] + 1, "early", message))
    return found


def _planned(file: BicepFile) -> Iterator[tuple[str, Node]]:
    for one in file.of("resource", "module"):
        name = member(one.value, "name")
        if name is not None:
            yield f"the name of {one.name}", name
        for node in _heads(one):
            if node.type == "if_statement":
                yield f"the condition of {one.name}", node.named_children[0]
    for node in walk(file.root):
        if node.type == "for_statement":
            yield "a loop", node.named_children[1]


def _heads(one: Declaration) -> Iterator[Node]:
    """Give what stands between a declaration's type and its body."""
    for child in one.node.named_children:
        node = child
        while node.type in {"if_statement", "for_statement"}:
            yield node
            node = node.named_children[-1]


def _late(node: Node, file: BicepFile, seen: set[str]) -> str | None:
    """Name the first thing in an expression that is not known beforehand, also through variables."""
    symbols = {one.name: one for one in file.of("resource", "module")}
    for part in walk(node):
        if part.type != "member_expression":
            continue
        root, name = text(part.named_children[0]).rstrip("!"), text(part.named_children[-1])
        if root.rpartition("::")[2] in symbols and name not in _KNOWN:
            return f"{root}.{name}"
    for name in references_in(node) - seen:
        variable = file.symbols().get(name)
        if variable is not None and variable.kind == "var" and variable.value is not None:
            found = _late(variable.value, file, seen | {name})
            if found:
                return found
    return None

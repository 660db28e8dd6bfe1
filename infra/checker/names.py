"""Names: what is referred to is declared, what is declared is used, and nothing is declared twice."""

import difflib
from collections import Counter
from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from infra.checker.bicep import BicepFile, Declaration, members, text, walk
from infra.checker.finding import Finding

#: Source: Bicep's functions by namespace, as its language server lists them.
_FUNCTIONS: Final = frozenset(
    """
    any array base64 base64ToJson base64ToString bool cidrHost cidrSubnet concat contains createArray createObject
    dataUri dataUriToString dateTimeAdd dateTimeFromEpoch dateTimeToEpoch deployer deployment empty endsWith environment
    extensionResourceId fail filter first flatten format getSecret groupBy guid indexOf int intersection items join json
    last lastIndexOf length list listAccountSas listKeys listSecrets listServiceSas loadDirectoryFileInfo
    loadFileAsBase64 loadJsonContent loadTextContent loadYamlContent managementGroup managementGroupResourceId map
    mapValues max min newGuid nameof objectKeys padLeft parseCidr parseUri pickZones providers range
    readEnvironmentVariable reduce reference replace resourceGroup resourceId shallowMerge skip sort split startsWith
    string subscription subscriptionResourceId substring take tenant tenantResourceId toLogicalZone toLogicalZones
    toLower toObject toPhysicalZone toPhysicalZones toUpper trim union uniqueString uri uriComponent
    uriComponentToString utcNow
    """.split()
)
_NAMESPACES: Final = {"az", "sys"}
_LOOP_NAMES: Final = {"for_loop_parameters", "loop_variable", "loop_enumerator"}
_MUST_BE_USED: Final = {"param", "var", "func", "type"}


def name_findings(file: BicepFile) -> list[Finding]:
    """Find unknown symbols and functions, unused declarations, and names that are taken twice."""
    references = list(_references(file))
    used = {name for name, _ in references}
    return [*_unknown(file, references), *_unused(file, used), *_twice(file)]


def references_in(node: Node) -> set[str]:
    """Name the symbols that an expression refers to; local variables of loops and lambdas are not among them."""
    return {name for name, _ in _below(node, frozenset())}


def _references(file: BicepFile) -> Iterator[tuple[str, Node]]:
    for node in file.root.named_children:
        yield from _below(node, frozenset())


def _below(node: Node, local: frozenset[str]) -> Iterator[tuple[str, Node]]:
    """Give every reference below a node, passing over names that are declared, not referred to."""
    if node.type == "identifier":
        if text(node) not in local | _NAMESPACES:
            yield text(node), node
        return
    children, inner = _scope(node)
    for child in children:
        yield from _below(child, local | inner)


def _scope(node: Node) -> tuple[list[Node], frozenset[str]]:
    """Give the parts of a node that are expressions, and the names that hold in them alone."""
    children = node.named_children
    match node.type:
        case "object_property" if children[0].type == "identifier":
            return children[1:], frozenset()
        case "call_expression":
            return children[1:], frozenset()
        case "resource_expression":
            return children[:1], frozenset()  # a::b: the second is looked for inside the first
        case "lambda_expression":
            return children[-1:], _names(children[:-1])
        case "for_statement":
            heads = [child for child in children[:-1] if child.type in _LOOP_NAMES]
            heads = heads or children[:1]
            return [child for child in children if child not in heads], _names(heads)
        case "user_defined_function":
            parameters = [part for child in children if child.type == "parameters" for part in child.named_children]
            return children[1:], frozenset(text(part.named_children[0]) for part in parameters)
        case "resource_declaration":
            return children[1:], _nested_names(node)
        case "parameter":
            return [], frozenset()
        case kind if kind.endswith("_declaration"):
            return children[1:], frozenset()
    return children, frozenset()


def _names(nodes: list[Node]) -> frozenset[str]:
    leaves = (part for node in nodes for part in walk(node) if not part.named_children)
    return frozenset(text(part) for part in leaves if part.is_named)


def _nested_names(node: Node) -> frozenset[str]:
    nested = (part for part in walk(node) if part.type == "resource_declaration" and part != node)
    return frozenset(text(part.named_children[0]) for part in nested)


def _unknown(file: BicepFile, references: list[tuple[str, Node]]) -> list[Finding]:
    symbols = set(file.symbols())
    found = [
        Finding(file.path, _line(node), "name", f"nothing is called {name}{_hint(name, symbols)}")
        for name, node in references
        if name not in symbols
    ]
    known = _FUNCTIONS | symbols
    calls = [node for node in walk(file.root) if node.type == "call_expression" and not _is_decorator(node)]
    for call in calls:
        called = call.named_children[0]
        name = text(called)
        if called.type == "identifier" and name not in known:
            found.append(
                Finding(file.path, _line(call), "function", f"there is no function {name}{_hint(name, known)}")
            )
    return found


def _unused(file: BicepFile, used: set[str]) -> list[Finding]:
    called = {text(node.named_children[0]) for node in walk(file.root) if node.type == "call_expression"}
    typed = {text(part) for node in walk(file.root) if node.type == "type" for part in walk(node)}
    return [
        Finding(file.path, one.line, "unused", f"{one.kind} {one.name} is not used")
        for one in file.declarations
        if (one.kind in _MUST_BE_USED or one.existing)
        and one.name not in used | called | typed
        and not any(child.node for child in one.children)
    ]


def _twice(file: BicepFile) -> list[Finding]:
    symbols = [one for one in file.declarations if one.kind != "output"]
    outputs = [one for one in file.declarations if one.kind == "output"]
    found = []
    for group in (symbols, outputs):
        counted = Counter(one.name for one in group)
        again = {one.name: one for one in group if counted[one.name] > 1}
        found += [_said_twice(file, one) for one in again.values()]
    for node in walk(file.root):
        if node.type == "object":
            keys = Counter(name for name, _, _ in members(node))
            found += [
                Finding(file.path, _line(node), "twice", f"the property {name} is given {count} times")
                for name, count in keys.items()
                if count > 1
            ]
    return found


def _said_twice(file: BicepFile, one: Declaration) -> Finding:
    return Finding(file.path, one.line, "twice", f"{one.name} is declared more than once")


def _is_decorator(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "decorator"


def _line(node: Node) -> int:
    return node.start_point[0] + 1


def _hint(name: str, known: set[str] | frozenset[str]) -> str:
    alike = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f" (did you mean {alike[0]}?)" if alike else ""

"""The plain type of an expression, as far as it can be seen: string, int, bool, object or array."""

from typing import Final, Literal

from tree_sitter import Node

from infra.checker.bicep import BicepFile, text

type PlainType = Literal["string", "int", "bool", "object", "array"]

_LITERALS: Final[dict[str, PlainType]] = {
    "string": "string",
    "number": "int",
    "boolean": "bool",
    "object": "object",
    "array": "array",
    "for_statement": "array",
}
_CALLS: Final[dict[PlainType, str]] = {
    "string": "toLower toUpper uniqueString guid string replace format join trim substring subscriptionResourceId "
    "resourceId loadTextContent base64 uri newGuid utcNow",
    "bool": "empty startsWith endsWith bool",
    "int": "length int indexOf lastIndexOf",
    "object": "toObject loadJsonContent",
    "array": "map filter items split range sort objectKeys flatten",
}
RETURNS: Final[dict[str, PlainType]] = {name: kind for kind, names in _CALLS.items() for name in names.split()}
_COMPARISONS: Final = {"==", "!=", "<", ">", "<=", ">=", "&&", "||", "=~", "!~"}


def plain_type(node: Node, file: BicepFile) -> PlainType | None:
    """Say what an expression is, or None when that cannot be seen without the compiler."""
    if node.type in _LITERALS:
        return _LITERALS[node.type]
    match node.type:
        case "parenthesized_expression":
            return plain_type(node.named_children[0], file)
        case "ternary_expression":
            kinds = {plain_type(branch, file) for branch in node.named_children[1:]}
            return kinds.pop() if len(kinds) == 1 else None
        case "unary_expression":
            return "bool" if text(node).startswith("!") else "int"
        case "binary_expression":
            return "bool" if any(child.type in _COMPARISONS for child in node.children) else None
        case "call_expression":
            return RETURNS.get(text(node.named_children[0]))
        case "identifier":
            return _declared(node, file)
    return None


def written_type(name: str) -> PlainType | None:
    """Read the type in a parameter's or output's declaration."""
    if name.endswith("[]"):
        return "array"
    bare = name.removesuffix("?")
    if bare.startswith("'"):
        return "string"
    known: dict[str, PlainType] = {
        "string": "string",
        "int": "int",
        "bool": "bool",
        "object": "object",
        "array": "array",
    }
    return known.get(bare)


def _declared(node: Node, file: BicepFile) -> PlainType | None:
    found = file.symbols().get(text(node))
    if found is None or _is_local(node, text(node)):
        return None
    if found.kind == "param":
        return written_type(found.type_name)
    if found.kind == "var" and found.value is not None:
        return plain_type(found.value, file)
    return None


def _is_local(node: Node, name: str) -> bool:
    """Say whether a lambda, a loop or a function around it has a variable of that name."""
    around = node.parent
    while around is not None:
        if around.type in {"lambda_expression", "for_statement", "user_defined_function"}:
            heads = [child for child in around.named_children if child.type in {"identifier", "parameters"}]
            names = {text(part) for head in heads for part in [head, *head.named_children]}
            loops = [child for child in around.named_children if child.type.startswith(("for_loop", "loop_"))]
            names |= {text(part) for loop in loops for part in [loop, *loop.named_children]}
            if name in names:
                return True
        around = around.parent
    return False

"""Values against published types: unknown, missing and read-only properties, wrong kinds, values that do not exist."""

import difflib
import re
from typing import Final

from tree_sitter import Node

from infra.checker.bicep import BicepFile, literal, members, text
from infra.checker.finding import Finding
from infra.checker.plain_type import PlainType, plain_type
from infra.checker.published_types import Member, PublishedTypes

_EXPECTED: Final[dict[str, PlainType]] = {
    "String": "string",
    "StringLiteral": "string",
    "Integer": "int",
    "Boolean": "bool",
    "Array": "array",
    "Object": "object",
    "DiscriminatedObject": "object",
}
#: How alike a value and a listed one are before the difference is taken for a slip.
_ALIKE: Final = 0.85


class Shapes:
    """Checks one file's values.

    Args:
        file: whose values.
        types: the published ones.
    """

    def __init__(self, file: BicepFile, types: PublishedTypes) -> None:
        self._file = file
        self._types = types

    def check(self, node: Node, index: int, where: str) -> list[Finding]:
        """Hold an expression against a type; ``where`` names it in the findings."""
        kind = self._types.kind(index)
        match node.type:
            case "parenthesized_expression":
                return self.check(node.named_children[0], index, where)
            case "ternary_expression":
                return [found for branch in node.named_children[1:] for found in self.check(branch, index, where)]
            case "null" | "comment":
                return []
        if kind == "Any":
            return []
        if kind == "Union":
            return self._union(node, index, where)
        found = plain_type(node, self._file)
        if found is not None and found != _EXPECTED.get(kind, found):
            return [self._finding(node, "kind", f"{where} is of type {_EXPECTED[kind]}, got {found} {_short(node)}")]
        return self._inside(node, index, where)

    def check_object(
        self, node: Node, index: int, where: str, *, beside: frozenset[str] = frozenset()
    ) -> list[Finding]:
        """Hold an object against its type.

        Args:
            node: the object.
            index: its type.
            where: its name in the findings.
            beside: properties that Bicep itself has there, like ``scope``.
        """
        given = [(name, value) for name, value, _ in members(node) if name not in beside]
        variant, found = self._variant(node, index, where)
        if found:
            return found
        known = self._types.members(index, variant)
        for name, value in given:
            found += self._member(name, value, index, known, where)
        names = [name for name, _, _ in members(node)]
        missing = [name for name, one in known.items() if one.required and not one.read_only and name not in names]
        spread = any("spread" in child.type for child in node.named_children)
        if not spread:
            found += [self._finding(node, "missing", f"{where} needs the property {name}") for name in missing]
        return found

    def _variant(self, node: Node, index: int, where: str) -> tuple[str | None, list[Finding]]:
        raw = self._types.raw(index)
        if self._types.kind(index) != "DiscriminatedObject":
            return None, []
        key = raw["discriminator"]
        value = next((value for name, value, _ in members(node) if name == key), None)
        chosen = literal(value)
        if value is None:
            return None, [self._finding(node, "missing", f"{where} needs the property {key}")]
        if chosen is not None and chosen not in raw["elements"]:
            listed = ", ".join(sorted(raw["elements"]))
            return None, [self._finding(value, "variant", f"{where}.{key} is one of {listed}, got {chosen!r}")]
        return chosen, []

    def _member(self, name: str, value: Node, index: int, known: dict[str, Member], where: str) -> list[Finding]:
        if name not in known:
            further = self._types.further(index)
            if further is not None:
                return self.check(value, further, f"{where}.{name}")
            if name in self._types.unknowable or (self._types.kind(index) == "DiscriminatedObject" and not known):
                return []
            return [self._finding(value, "unknown", f"{where} has no property {name}{_hint(name, list(known))}")]
        if known[name].read_only:
            return [self._finding(value, "read-only", f"{where}.{name} can be read and not set")]
        return self.check(value, known[name].type, f"{where}.{name}")

    def _inside(self, node: Node, index: int, where: str) -> list[Finding]:
        kind = self._types.kind(index)
        if kind in {"Object", "DiscriminatedObject"} and node.type == "object":
            return self.check_object(node, index, where)
        if kind == "Array" and node.type == "array":
            item = self._types.item(index)
            entries = [entry for entry in node.named_children if entry.type != "comment"]
            return [found for i, entry in enumerate(entries) for found in self.check(entry, item, f"{where}[{i}]")]
        if kind == "Array" and node.type == "for_statement":
            return self.check(node.named_children[-1], self._types.item(index), f"{where}[]")
        value = literal(node)
        if value is not None and kind in {"String", "StringLiteral"}:
            return self._string(node, value, index, where)
        if kind == "Integer" and node.type == "number":
            return self._integer(node, index, where)
        return []

    def _string(self, node: Node, value: str, index: int, where: str) -> list[Finding]:
        raw = self._types.raw(index)
        if "value" in raw and value != raw["value"]:
            return [self._finding(node, "value", f"{where} is {raw['value']!r}, got {value!r}")]
        least, most = raw.get("minLength", 0), raw.get("maxLength", len(value))
        if not least <= len(value) <= most:
            return [self._finding(node, "length", f"{where} has {least} to {most} characters, got {len(value)}")]
        if "pattern" in raw and not re.search(raw["pattern"], value):
            return [self._finding(node, "value", f"{where} must match {raw['pattern']}, got {value!r}")]
        return []

    def _integer(self, node: Node, index: int, where: str) -> list[Finding]:
        raw, value = self._types.raw(index), int(text(node))
        least, most = raw.get("minValue", value), raw.get("maxValue", value)
        if least <= value <= most:
            return []
        return [self._finding(node, "range", f"{where} is {least} to {most}, got {value}")]

    def _union(self, node: Node, index: int, where: str) -> list[Finding]:
        parts = self._types.elements(index)
        listed = [str(self._types.raw(part)["value"]) for part in parts if self._types.kind(part) == "StringLiteral"]
        is_open = len(listed) < len(parts)
        value = literal(node)
        if value is None or not listed:
            tried = [self.check(node, part, where) for part in parts]
            return [] if not tried or any(not found for found in tried) else tried[0]
        if value in listed:
            return []
        if not is_open:
            return [self._finding(node, "value", f"{where} is one of {', '.join(listed)}, got {value!r}")]
        # The list is open, and the compiler takes everything. What is nearly a listed value is a slip all the same.
        hint = _hint(value, listed)
        return [self._finding(node, "value", f"{where} is nearly a known value, got {value!r}{hint}")] if hint else []

    def _finding(self, node: Node, rule: str, message: str) -> Finding:
        return Finding(self._file.path, node.start_point[0] + 1, rule, message)


def _hint(name: str, known: list[str]) -> str:
    same = [one for one in known if one.lower() == name.lower()]
    alike = same or difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE)
    return f" (did you mean {alike[0]}?)" if alike else ""


def _short(node: Node) -> str:
    written = text(node).replace("\n", " ")
    return written if len(written) <= 40 else f"{written[:37]}..."  # noqa: PLR2004 (what fits a line)

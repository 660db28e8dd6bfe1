"""A parameter's own rules: its type and its decorators, held against a value that is known."""

import json
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from infra.checker.bicep import BicepFile, Declaration, literal, text
from infra.checker.finding import Finding
from infra.checker.plain_type import PlainType, plain_type, written_type


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a value must be.

    Attributes:
        type: the plain type; None for a type of the file's own.
        allowed: the only values, or none.
        least_length: of a string or array, in characters or entries.
        most_length: the same.
        least: of a number.
        most: the same.
    """

    type: PlainType | None
    allowed: tuple[object, ...] = ()
    least_length: int | None = None
    most_length: int | None = None
    least: int | None = None
    most: int | None = None

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, beginning with "must", or None."""
        kinds: dict[PlainType, type] = {"string": str, "int": int, "bool": bool, "object": dict, "array": list}
        if self.type and (not isinstance(value, kinds[self.type]) or isinstance(value, bool) != (self.type == "bool")):
            return f"must be of type {self.type}, got {json.dumps(value)}"
        if self.allowed and value not in self.allowed:
            return f"must be one of {', '.join(map(str, self.allowed))}, got {value}"
        if isinstance(value, str | list):
            return _between(len(value), self.least_length, self.most_length, "characters" if self.type else "entries")
        if isinstance(value, int) and not isinstance(value, bool):
            return _between(value, self.least, self.most, "")
        return None


def constraints(param: Declaration) -> Constraints:
    """Read a parameter's type and decorators."""

    def number(name: str) -> int | None:
        arguments = param.decorators.get(name)
        return int(text(arguments[0])) if arguments and text(arguments[0]).lstrip("-").isdigit() else None

    listed = param.decorators.get("allowed")
    allowed = tuple(known_value(entry) for entry in listed[0].named_children) if listed else ()
    return Constraints(
        type=written_type(param.type_name),
        allowed=allowed,
        least_length=number("minLength"),
        most_length=number("maxLength"),
        least=number("minValue"),
        most=number("maxValue"),
    )


def known_value(node: Node) -> Any:
    """Give a literal's value; None where it is not one (a null is a literal of no use here either)."""
    match node.type:
        case "string":
            return literal(node)
        case "number":
            return int(text(node))
        case "boolean":
            return text(node) == "true"
        case "unary_expression" if text(node).lstrip("-").isdigit():
            return int(text(node))
    return None


def default_findings(file: BicepFile) -> list[Finding]:
    """Hold each parameter's default against its own type and decorators."""
    found = []
    for param in file.of("param"):
        if param.value is None:
            continue
        problem = value_problem(param.value, param, file)
        if problem:
            found.append(Finding(file.path, param.line, "default", f"the default of {param.name} {problem}"))
    return found


def value_problem(node: Node, param: Declaration, file: BicepFile) -> str | None:
    """Say what is wrong with an expression as a parameter's value, or None."""
    rules = constraints(param)
    value = known_value(node)
    if value is not None:
        return rules.problem(value)
    kind = plain_type(node, file)
    if kind and rules.type and kind != rules.type:
        return f"must be of type {rules.type}, got {kind} {text(node)[:40]}"
    return None


def _between(value: int, least: int | None, most: int | None, unit: str) -> str | None:
    if (least is None or value >= least) and (most is None or value <= most):
        return None
    if least == most:
        return f"must be {least} {unit}".rstrip() + f", got {value}"
    ends = f"at least {least}" if most is None else f"at most {most}" if least is None else f"{least} to {most}"
    return f"must be {ends} {unit}".rstrip() + f", got {value}"

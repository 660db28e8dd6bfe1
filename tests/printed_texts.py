"""The texts that the tool prints: every string of its code but the docstrings, its tables and its pages' templates."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.checkout import ROOT


def printed_texts() -> Iterator[tuple[str, str]]:
    """Return each text with its file; a value that is put into it is in braces, as an expression."""
    for path in sorted((ROOT / "selftest").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(("selftest/starter/template/", "selftest/entra/snippets/")):
            continue  # the files of others: a copy, an endpoint
        for text in _texts(path):
            yield name, text


def _texts(path: Path) -> Iterator[str]:
    match path.suffix:
        case ".py":
            yield from _strings(ast.parse(path.read_text()))
        case ".toml":
            yield from _values(tomllib.loads(path.read_text()))
        case ".jinja":
            yield path.read_text()


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _values(inner)


def _strings(tree: ast.Module) -> Iterator[str]:
    nodes = list(ast.walk(tree))
    parts: set[ast.AST] = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    parts |= {node.value for node in nodes if isinstance(node, ast.Expr)}  # a docstring
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(map(_part, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return f"{{{ast.unparse(part.value)}}}"
    return str(part.value) if isinstance(part, ast.Constant) else ""

"""The imports of the app's own modules that fail in the package, those inside functions too.

Importing a module shows what is missing at its top. An import inside a function would fail at a sign-in, in Azure only,
so the source of each module is read. An import inside ``try`` with ``except ImportError`` is optional, and one below
``if TYPE_CHECKING`` never runs. A module whose name is put together at run time is not seen.
"""

import ast
import sys
import warnings
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

_OPTIONAL: Final = frozenset({"ImportError", "ModuleNotFoundError"})
_BY_NAME: Final = ("import_module", "__import__")
_SUFFIXES: Final = frozenset({".py", ".so"})


def missing_imports(root: Path, site_packages: Path, modules: Iterable[Path]) -> list[str]:
    """Return ``file:line: import`` for each import that would fail.

    Args:
        root: The unzipped package.
        site_packages: The folder of the dependencies in it.
        modules: The app's own modules, relative to ``root``.
    """
    missing = []
    for path in modules:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse((root / path).read_bytes())
        for node in _nodes(tree):
            named = [name.split(".") for name in _named(node, path.parent.parts)]
            members = int(isinstance(node, ast.ImportFrom))
            if not all(
                parts[0] in sys.stdlib_module_names
                or _exists(root, parts, members=members)
                # A package of others may make its modules itself, as six.moves.
                or _exists(site_packages, parts, members=len(parts))
                for parts in named
            ):
                missing.append(f"{path.as_posix()}:{node.lineno}: {ast.unparse(node)}")
    return missing


def _nodes(tree: ast.Module) -> Iterator[ast.stmt | ast.expr]:
    """Yield statements and expressions in their order, without optional imports and what only a type checker reads."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        children: Iterable[ast.AST] = ast.iter_child_nodes(node)
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                children = node.orelse
            case ast.Try() if any(_words(handler.type) & _OPTIONAL for handler in node.handlers):
                children = [*node.handlers, *node.orelse, *node.finalbody]
        todo += reversed([*children])
        if isinstance(node, ast.stmt | ast.expr):
            yield node


def _named(node: ast.AST, package: tuple[str, ...]) -> list[str]:
    """Return the dotted names that a node imports; a name after ``from … import`` may be a module or a member."""
    match node:
        case ast.Import(names=aliases):
            return [alias.name for alias in aliases]
        case ast.ImportFrom(module=module, names=aliases, level=level):
            above = package[: len(package) - level + 1] if level else ()
            return [".".join((*above, *([module] if module else ()), alias.name)) for alias in aliases]
        case ast.Call(func=func, args=arguments):
            # Also asyncio.to_thread(import_module, "name"), which keeps a slow import off the event loop.
            pairs = [
                (call, text.value) for call, text in pairwise((func, *arguments)) if isinstance(text, ast.Constant)
            ]
            return [
                name
                for call, name in pairs
                if isinstance(name, str) and not name.startswith(".") and ast.unparse(call).endswith(_BY_NAME)
            ]
    return []


def _words(node: ast.expr | None) -> set[str]:
    """Return the names in an expression."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} if node else set()


def _exists(folder: Path, parts: list[str], *, members: int) -> bool:
    """Whether a module exists; so many names at the end may be members of a module or of a package with __init__."""
    place, rest = folder / parts[0], parts[1:]
    is_module = any(file.suffix in _SUFFIXES for file in folder.glob(f"{parts[0]}.*"))
    if (is_module or (place / "__init__.py").is_file()) and len(rest) <= members:
        return True
    return place.is_dir() and (not rest or _exists(place, rest, members=members))

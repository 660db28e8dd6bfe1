"""The pictures of docs/architecture.md, drawn from the imports: ``python -m tests.architecture`` writes them.

A node is a module or a folder; an arrow says "imports". What follows from other arrows is left out.
"""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = ("claims", "selftest")


def pictures(page: str) -> str:
    """Return the page with each picture drawn from the imports as they are."""
    for package in PACKAGES:
        before, begin, rest = page.partition(f"<!-- {package} -->\n")
        _, end, after = rest.partition(f"<!-- /{package} -->")
        page = f"{before}{begin}```mermaid\n{_mermaid(package)}```\n{end}{after}"
    return page


def _mermaid(package: str) -> str:
    imports = _imports(package)
    order = tuple(TopologicalSorter({node: sorted(imports[node]) for node in sorted(imports)}).static_order())
    below: dict[str, set[str]] = {}
    for node in order:
        below[node] = set().union(imports[node], *(below[other] for other in imports[node]))
    arrows = [
        f"  {node} --> {other}\n"
        for node in reversed(order)
        for other in sorted(imports[node])
        if not any(other in below[between] for between in imports[node] - {other})
    ]
    return "flowchart TD\n" + "".join(arrows)


def _imports(package: str) -> dict[str, set[str]]:
    """Return for each module or folder directly in a package those that it imports."""
    nodes = {
        path.stem for path in (ROOT / package).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    found: dict[str, set[str]] = {node: set() for node in nodes - {"__init__", "__main__"}}
    for path in (ROOT / package).rglob("*.py"):
        node = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        if node in found:
            found[node] |= {name for name in _imported(path, package) if name in found} - {node}
    return found


def _imported(path: Path, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith(f"{package}."))


if __name__ == "__main__":
    PAGE.write_text(pictures(PAGE.read_text()))

"""The program runs where the endpoint's own requirements are installed, and reads bottom-up."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODULES = {f"infra.entra.{path.stem}": path for path in (ROOT / "infra" / "entra").glob("[a-z]*.py")}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_there_is_no_circle() -> None:
    """Imports go one way."""
    graph = {name: _imports(path) & MODULES.keys() for name, path in MODULES.items()}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_it_needs_nothing_but_what_the_endpoint_needs() -> None:
    """So that a hook of azd can run it from requirements.txt, without the harness's packages."""
    script = "import sys, infra.entra.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    named = {"attrs": "attr"}
    ours = {named.get(name, name.replace("-", "_")).lower() for name in pinned} | {"infra", "selftest", "claims"}
    foreign = {name for name in done.stdout.split() if not name.startswith("_")} - set(sys.stdlib_module_names)
    assert {name for name in foreign if name.lower() not in ours and "runtime" not in name} == set()

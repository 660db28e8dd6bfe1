"""Microsoft's own parser of Kusto, which runs on Node.js; ``npm ci --prefix tests/kusto`` installs it."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.infra.checkout import ROOT, Checkout

_FOLDER: Final = ROOT / "tests" / "kusto"
_judged: Final[dict[str, "Judged"]] = {}


@dataclass(frozen=True, slots=True)
class Judged:
    """What the parser reports about a query.

    Attributes:
        diagnostics: Each with its line, counted from 1.
        columns: The columns of the query's result.
    """

    diagnostics: tuple[tuple[int, str], ...]
    columns: tuple[str, ...]


def why_not() -> str | None:
    """Return what keeps the parser from running, with the command that helps; None when nothing does."""
    if shutil.which("node") is None:
        return "Kusto's parser needs Node.js: install it, then run npm ci --prefix tests/kusto"
    if not (_FOLDER / "node_modules").is_dir():
        return "Kusto's parser is not installed: run npm ci --prefix tests/kusto"
    return None


def prepare(queries: Iterable[str]) -> None:
    """Judge many queries, and those of this checkout, in one process: its start takes seconds."""
    ours = Checkout().queries().values()
    new = [query for query in dict.fromkeys((*queries, *ours)) if query not in _judged]
    if not new:
        return
    done = subprocess.run(  # noqa: S603 (our own script)
        ["node", _FOLDER / "diagnose.js"],  # noqa: S607 (whichever Node.js is installed)
        input=json.dumps(new),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    for query, judged in zip(new, json.loads(done.stdout), strict=True):
        lines = tuple((int(line), str(message)) for line, message in judged["diagnostics"])
        _judged[query] = Judged(lines, tuple(judged["columns"]))


def judge(query: str) -> Judged:
    """Return what the parser reports about one query."""
    prepare([query])
    return _judged[query]

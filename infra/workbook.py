"""Writes ``workbook.json`` from the queries: one page with volume, times, outcomes, caches and cold starts.

It is a file and not built by Bicep, so that it can also be pasted into a workbook's advanced editor in the portal. A
test compares it with the queries; after changing one, run ``python -m infra.workbook``.

Source: the format is Azure Monitor's ``Notebook/1.0``, as the portal exports it.
"""

import json
from pathlib import Path
from typing import Any, Final

INFRA: Final = Path(__file__).parent
WORKBOOK: Final = INFRA / "workbook.json"
#: alerts.bicep puts the workspace's id there; in the portal it is replaced by whatever is chosen.
WORKSPACE: Final = "{workspaceId}"
#: In the order of the page: the query's file, and how its rows are shown.
VIEWS: Final = (
    ("calls-by-answer", "timechart"),
    ("percentiles-over-time", "timechart"),
    ("percentiles-by-phase", "table"),
    ("outcomes", "piechart"),
    ("failures-by-code", "table"),
    ("cache-hit-rates", "table"),
    ("cold-starts", "table"),
    ("slowest-sign-ins", "table"),
)
_TEXT_ITEM: Final = 1
_QUERY_ITEM: Final = 3
_INTRODUCTION: Final = (
    "# Claims endpoint\n\nWhat Entra asked, what it was answered, and where the time went. "
    "Times are milliseconds. A call that takes more than 2000 is a failed sign-in."
)


def build(queries: Path = INFRA / "queries") -> dict[str, Any]:
    """Build the page; each view's title is the first line of its query's comment."""
    introduction = {"type": _TEXT_ITEM, "name": "introduction", "content": {"json": _INTRODUCTION}}
    return {
        "version": "Notebook/1.0",
        "items": [introduction, *(_view(queries / f"{name}.kql", shown) for name, shown in VIEWS)],
        "fallbackResourceIds": [WORKSPACE],
    }


def written(page: dict[str, Any]) -> str:
    """Write it as the file has it."""
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def _view(path: Path, shown: str) -> dict[str, Any]:
    query = path.read_text(encoding="utf-8")
    content = {
        "version": "KqlItem/1.0",
        "title": query.partition("\n")[0].removeprefix("// "),
        "query": query,
        "queryType": 0,
        "resourceType": "microsoft.operationalinsights/workspaces",
        "size": 0,
        "visualization": shown,
    }
    return {"type": _QUERY_ITEM, "name": path.stem, "content": content}


if __name__ == "__main__":
    WORKBOOK.write_text(written(build()), encoding="utf-8")
    print(f"written  {WORKBOOK.name}")

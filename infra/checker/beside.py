"""The files beside the Bicep files: queries, workbook, host.json, and the outputs that pages and pipelines name."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from infra.checker.bicep import BicepFile, literal, members, walk
from infra.checker.finding import Finding
from infra.checker.kusto import read_query
from infra.checker.modules import loaded_path

_GET_VALUE: Final = re.compile(r"azd env get-value ([A-Za-z_]\w*)")
#: Where commands stand that read azd's environment.
_READERS: Final = ("azure.yaml", "docs/deploy.md")
_NOT_ON_FLEX: Final = frozenset(
    {
        "ENABLE_ORYX_BUILD",
        "FUNCTIONS_EXTENSION_VERSION",
        "FUNCTIONS_MAX_HTTP_CONCURRENCY",
        "FUNCTIONS_WORKER_PROCESS_COUNT",
        "FUNCTIONS_WORKER_RUNTIME",
        "SCM_DO_BUILD_DURING_DEPLOYMENT",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
        "WEBSITE_CONTENTSHARE",
        "WEBSITE_RUN_FROM_PACKAGE",
    }
)


def query_findings(root: Path, files: list[BicepFile]) -> list[Finding]:
    """Find queries that cannot run, and those that nothing shows or watches."""
    used = {
        (file.path.parent / path).resolve()
        for file in files
        for node in walk(file.root)
        if node.type == "call_expression" and (path := loaded_path(node)) is not None
    }
    shown = {item.get("name") for item in _items(root / "infra/workbook.json")}
    found: list[Finding] = []
    for path in sorted((root / "infra/queries").glob("*.kql")):
        found += read_query(path).findings
        if path.resolve() not in used and path.stem not in shown:
            found.append(Finding(path, 0, "unused", "no alert and no view of the workbook has this query"))
    return found


def workbook_findings(root: Path) -> list[Finding]:
    """Find what keeps the workbook from showing the queries as they are."""
    path = root / "infra/workbook.json"
    try:
        page = _object(path)
    except (OSError, ValueError) as error:
        return [Finding(path, 0, "workbook", f"cannot be read: {error}")]
    found = []
    if page.get("version") != "Notebook/1.0":
        found.append(Finding(path, 0, "workbook", f"version is Notebook/1.0, got {page.get('version')}"))
    for item in _items(path):
        name, content = item.get("name"), item.get("content", {})
        if "query" not in content:
            continue
        query = root / f"infra/queries/{name}.kql"
        if not query.is_file() or query.read_text(encoding="utf-8") != content["query"]:
            message = f"the view {name} is not infra/queries/{name}.kql any more: run python -m infra.workbook"
            found.append(Finding(path, 0, "workbook", message))
    return found


def host_findings(root: Path) -> list[Finding]:
    """Find settings of the Functions host that would lose requests, telemetry or the route that Entra calls."""
    path = root / "host.json"
    try:
        host = _object(path)
    except (OSError, ValueError) as error:
        return [Finding(path, 0, "host", f"cannot be read: {error}")]
    return [Finding(path, 0, "host", message) for message in _host(host)]


def flex_findings(file: BicepFile) -> list[Finding]:
    """Find app settings that Flex Consumption refuses, in a file that makes such a plan."""
    objects = [node for node in walk(file.root) if node.type == "object"]
    skus = {literal(value) for node in objects for name, value, _ in members(node) if name == "name"}
    if "FC1" not in skus:
        return []
    named = [(name, value) for node in objects for name, value, _ in members(node)]
    return [
        Finding(file.path, value.start_point[0] + 1, "flex", f"{name} is not allowed on Flex Consumption")
        for name, value in named
        if name in _NOT_ON_FLEX
    ]


def output_findings(root: Path, main: BicepFile, from_parameters: set[str]) -> list[Finding]:
    """Find outputs whose names azd would not keep, and names that pages and hooks read and nothing writes."""
    outputs = {output.name for output in main.of("output")}
    found = [
        Finding(main.path, output.line, "output", f"{output.name} is not in upper case, as azd's environment is")
        for output in main.of("output")
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", output.name)
    ]
    for name in _READERS:
        path = root / name
        written = path.read_text(encoding="utf-8") if path.is_file() else ""
        unknown = sorted(set(_GET_VALUE.findall(written)) - outputs - from_parameters)
        found += [Finding(path, 0, "output", f"{read} is read, and main.bicep has no such output") for read in unknown]
    return found


def _host(host: dict[str, Any]) -> Iterator[str]:
    if host.get("version") != "2.0":
        yield f"version is 2.0, got {host.get('version')}"
    logging = host.get("logging", {})
    if logging.get("logLevel", {}).get("Host.Results", "Information") not in {"Information", "Debug", "Trace"}:
        yield "logging.logLevel.Host.Results is above Information: no request would be counted"
    sampling = logging.get("applicationInsights", {}).get("samplingSettings", {})
    kept = set(str(sampling.get("excludedTypes", "")).split(";"))
    if sampling.get("isEnabled", True):
        yield from (f"samplingSettings.excludedTypes lacks {kind}" for kind in ("Request", "Trace") if kind not in kept)
    http = host.get("extensions", {}).get("http", {})
    if http.get("routePrefix", "api") != "api":
        yield f"the route prefix is api, which Entra's target URL and the probe have; got {http['routePrefix']!r}"
    if "maxConcurrentRequests" in http:
        yield "extensions.http.maxConcurrentRequests is ignored on Flex; use perInstanceConcurrency"
    backstop = str(host.get("functionTimeout", "00:00:30"))
    if not re.fullmatch(r"00:0[01]:\d\d", backstop):
        yield f"functionTimeout is a backstop of seconds, got {backstop}"


def _object(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(  # noqa: TRY004 (what a caller hears of any bad JSON)
            "it is no JSON object"
        )
    return document


def _items(path: Path) -> list[dict[str, Any]]:
    try:
        return list(_object(path).get("items", []))
    except (OSError, ValueError):
        return []


def named_settings(file: BicepFile) -> set[str]:
    """Name the members of every object in a file; the settings that it sets are among them."""
    return {name for node in walk(file.root) if node.type == "object" for name, _, _ in members(node)}

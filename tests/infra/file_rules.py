"""What the files next to the Bicep files must keep: parameters, queries, workbook, host.json, azure.yaml."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import validators

from infra.parameters import file_problems, read_parameters, variables
from tests.infra import kusto
from tests.infra.checkout import APP, ROOT, Checkout, deploys, resources, walk

#: Names azd's published schema where it is not next to the checkout.
AZD_SCHEMA: Final = "AZD_SCHEMA"
_BESIDE: Final = ROOT.parent / "shared" / "data" / "azure.yaml.schema.json"
_PARAMETERS: Final = "infra/main.parameters.json"
#: Where commands read azd's environment.
_READERS: Final = ("azure.yaml", "docs/deploy.md")
#: Functions of Kusto that take each row as one, and the argument by which the others weigh it.
_COUNTS_ROWS: Final = re.compile(r"\b(avg|avgif|count|countif|dcount|dcountif|percentile|percentiles|stdev|variance)\(")
_WEIGHT: Final = re.compile(r"\b(?:sum\(|sumif\(|percentilesw?\(\w+, |percentilew\(\w+, )(\w+)")
_TAG: Final = re.compile(r"azd-service-name\W+(\w+)")


def azd_schema() -> Path | None:
    """Return azd's published schema of ``azure.yaml``, or None where it is not."""
    path = Path(os.environ.get(AZD_SCHEMA) or _BESIDE)
    return path if path.is_file() else None


def parameters(checkout: Checkout) -> Iterator[str]:
    """Each parameter is given, declared, within its bounds, and filled from a variable of its own."""
    declared = checkout.json("infra/preflight.json")["parameters"]
    yield from file_problems(declared, read_parameters(checkout.root / _PARAMETERS))


def names_read(checkout: Checkout) -> Iterator[str]:
    """Each name of azd's environment that a hook or page reads is an output or a parameter's variable."""
    values = read_parameters(checkout.root / _PARAMETERS).values()
    written = {name for value in values for name in variables(value)} | set(checkout.templates["main"]["outputs"])
    for page in _READERS:
        for name in sorted(set(re.findall(r"azd env get-value ([A-Za-z_]\w*)", checkout.text(page))) - written):
            yield f"{page} reads {name}, and main.bicep has no such output"


def queries(checkout: Checkout) -> Iterator[str]:
    """Every query is one that Kusto understands."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in (checkout.root / "infra/queries").glob("*.kql")}
    kusto.prepare(texts.values())
    for name, query in sorted(texts.items()):
        yield from (f"{name}:{line}: {message}" for line, message in kusto.judge(query).diagnostics)


def query_weights(checkout: Checkout) -> Iterator[str]:
    """Each query counts by ItemCount, because one row of sampled telemetry stands for many."""
    for name, query in _app_queries(checkout):
        yield from (f"{name}: {called}() counts rows" for called in _COUNTS_ROWS.findall(query))
        for weight in _WEIGHT.findall(query):
            if weight != "ItemCount" and f"extend {weight} = ItemCount *" not in query:
                yield f"{name}: {weight} is not made of ItemCount"


def alert_calls(checkout: Checkout) -> Iterator[str]:
    """Each alert divides by authenticated calls: not by those answered 401, nor by the 500 of the host."""
    for name, query in _app_queries(checkout):
        calls = "toint(line.status) != 401" if "AppTraces" in query else 'ResultCode !in ("401", "500")'
        if name.startswith("alert-") and calls not in query:
            yield f"{name} counts calls of strangers"


def _app_queries(checkout: Checkout) -> Iterator[tuple[str, str]]:
    for path in sorted((checkout.root / "infra/queries").glob("*.kql")):
        query = path.read_text(encoding="utf-8")
        if re.search(r"(?m)^App(Requests|Traces)$", query):
            yield path.name, query


def queries_used(checkout: Checkout) -> Iterator[str]:
    """Every query is in an alert or in a view of the workbook."""
    used = {node for template in checkout.templates.values() for _, node in walk(template) if isinstance(node, str)}
    shown = {item["name"] for item in checkout.json("infra/workbook.json")["items"]}
    for path in sorted((checkout.root / "infra/queries").glob("*.kql")):
        if path.stem not in shown and path.read_text(encoding="utf-8") not in used:
            yield f"no alert and no view of the workbook has {path.name}"


def workbook(checkout: Checkout) -> Iterator[str]:
    """The workbook shows the queries as they are."""
    page = checkout.json("infra/workbook.json")
    if page["version"] != "Notebook/1.0":
        yield f"the workbook's version is Notebook/1.0, got {page['version']}"
    for item in page["items"]:
        path = checkout.root / f"infra/queries/{item['name']}.kql"
        query = item["content"].get("query")
        if query is not None and (not path.is_file() or path.read_text(encoding="utf-8") != query):
            yield f"the view {item['name']} is not its query: run python -m infra.workbook"


def host(checkout: Checkout) -> Iterator[str]:
    """host.json keeps the route that Entra calls, the telemetry, and a short timeout."""
    settings = checkout.json("host.json")
    if settings.get("version") != "2.0":
        yield f"version is 2.0, got {settings.get('version')}"
    logging = settings.get("logging", {})
    if logging.get("logLevel", {}).get("Host.Results", "Information") not in {"Information", "Debug", "Trace"}:
        yield "logging.logLevel.Host.Results is above Information: no request would be counted"
    sampling = logging.get("applicationInsights", {}).get("samplingSettings", {})
    kept = str(sampling.get("excludedTypes", "")).split(";")
    if sampling.get("isEnabled", True):
        lost = [kind for kind in ("Exception", "Trace") if kind not in kept]
        yield from (f"samplingSettings.excludedTypes lacks {kind}" for kind in lost)
    if "Request" in kept or not sampling.get("isEnabled", True):
        yield "requests are not sampled: how much is stored of those that are refused is a stranger's choice"
    http = settings.get("extensions", {}).get("http", {})
    if http.get("routePrefix", "api") != "api":
        yield f"the route prefix is api, which Entra's target URL and the probe have; got {http['routePrefix']!r}"
    if "maxConcurrentRequests" in http:
        yield "extensions.http.maxConcurrentRequests is ignored on Flex; use perInstanceConcurrency"
    limit = str(settings.get("functionTimeout", "00:00:30"))
    if not re.fullmatch(r"00:0[01]:\d\d", limit):
        yield f"functionTimeout is less than two minutes, got {limit}"


def azd_keys(checkout: Checkout) -> Iterator[str]:
    """azure.yaml has only keys that azd knows; its schema does not check the keys of a service, this rule does."""
    path = azd_schema()
    assert path is not None
    schema = json.loads(path.read_text(encoding="utf-8"))
    project = _project(checkout)
    for error in validators.validator_for(schema)(schema).iter_errors(project):
        yield f"{error.json_path}: {error.message[:160]}"
    known = schema["properties"]["services"]["additionalProperties"]["properties"]
    for name, service in project["services"].items():
        yield from (f"services.{name} has no key {key}" for key in sorted(service.keys() - known.keys()))


def azd_paths(checkout: Checkout) -> Iterator[str]:
    """The module, the folders and the make targets that azure.yaml names exist."""
    project = _project(checkout)
    named = [f"{project['infra']['path']}/{project['infra']['module']}.bicep"]
    named += [service["project"] for service in project["services"].values()]
    yield from (
        f"azure.yaml names {path}, which does not exist" for path in named if not (checkout.root / path).exists()
    )
    targets = set(re.findall(r"(?m)^([a-z.]+):", checkout.text("Makefile")))
    called = {name for script in scripts(project) for name in re.findall(r"(?m)^\s*make ([a-z.]+)", script)}
    yield from (f"a hook calls make {name}, and the Makefile has no such target" for name in sorted(called - targets))


def azd_tags(checkout: Checkout) -> Iterator[str]:
    """On each plan the app has the tag by which azd finds it."""
    services = ", ".join(_project(checkout)["services"])
    for name, module in resources(checkout.templates["main"]):
        tagged = ", ".join(_TAG.findall(json.dumps(module)))
        if deploys(module, APP) and tagged != services:
            yield f"azd looks for the tag azd-service-name: {services}, and the app of {name} has {tagged or 'none'}"


def scripts(project: Any) -> Iterator[str]:
    """Yield what the hooks run, those of the services included."""
    for holder in [project, *project["services"].values()]:
        for hooks in holder.get("hooks", {}).values():
            for hook in hooks if isinstance(hooks, list) else [hooks]:
                yield str(hook["run"])


def _project(checkout: Checkout) -> Any:
    return yaml.safe_load(checkout.text("azure.yaml"))

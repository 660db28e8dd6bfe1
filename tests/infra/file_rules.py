"""What the files next to the Bicep files must keep: parameters, host.json, azure.yaml."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import validators

from infra.parameters import file_problems, read_parameters, variables
from tests.infra.checkout import APP, ROOT, Checkout, deploys, resources

#: Names azd's published schema where it is not next to the checkout.
AZD_SCHEMA: Final = "AZD_SCHEMA"
_BESIDE: Final = ROOT.parent / "shared" / "data" / "azure.yaml.schema.json"
_PARAMETERS: Final = "infra/main.parameters.json"
#: The names of the functions.
_FUNCTIONS: Final = tuple(json.loads((ROOT / "tests/app/function_metadata.json").read_text(encoding="utf-8")))
#: Where commands read azd's environment.
_READERS: Final = ("docs/deploy.md",)
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
    """Each name of azd's environment that a page reads is an output or a parameter's variable."""
    values = read_parameters(checkout.root / _PARAMETERS).values()
    written = {name for value in values for name in variables(value)} | set(checkout.templates["main"]["outputs"])
    for page in _READERS:
        for name in sorted(set(re.findall(r"azd env get-value ([A-Za-z_]\w*)", checkout.text(page))) - written):
            yield f"{page} reads {name}, and main.bicep has no such output"


def host(checkout: Checkout) -> Iterator[str]:
    """host.json keeps the route that Entra calls, the telemetry, and a short timeout."""
    settings = checkout.json("host.json")
    if settings.get("version") != "2.0":
        yield f"version is 2.0, got {settings.get('version')}"
    logging = settings.get("logging", {})
    levels = logging.get("logLevel", {})
    for name in ("Host.Results", *(f"Function.{function}.User" for function in _FUNCTIONS)):
        if levels.get(name) not in {"Information", "Debug", "Trace"}:
            yield f"logging.logLevel.{name} is not Information: no request would be counted, or its line not kept"
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
    """The module, the folders and the scripts that azure.yaml names exist."""
    project = _project(checkout)
    named = [f"{project['infra']['path']}/{project['infra']['module']}.bicep"]
    named += [service["project"] for service in project["services"].values()] + list(scripts(project))
    yield from (
        f"azure.yaml names {path}, which does not exist" for path in named if not (checkout.root / path).exists()
    )


def azd_tags(checkout: Checkout) -> Iterator[str]:
    """The app has the tag by which azd finds it."""
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

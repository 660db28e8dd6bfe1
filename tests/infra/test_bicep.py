"""The Bicep files as a whole: what is deployed is what this project says of itself."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree_sitter import Node

from claims.contract import EVENT_SERVICE_APP_ID
from claims.settings.settings import (
    DEFAULT_BUDGET_MS,
    DEFAULT_MAX_CONCURRENT,
    DEFAULT_STALE_S,
    MAX_BUDGET_MS,
    MIN_BUDGET_MS,
)
from infra import workbook
from infra.check import ROOT
from infra.checker.beside import named_settings
from infra.checker.bicep import BicepFile, Declaration, literal, member, read, text, walk
from infra.checker.constraints import constraints, known_value
from infra.checker.kusto import read_query
from infra.checker.modules import loaded_path
from infra.package import PYTHON_VERSION

INFRA = ROOT / "infra"
MAIN = read(INFRA / "main.bicep")
FLEX, PREMIUM = read(INFRA / "flex.bicep"), read(INFRA / "premium.bicep")
_SETTING = re.compile(r"\b(?:AuthenticationEvents|Claims|AZURE)_[A-Za-z_]+\b")

#: Settings that the code knows and that no deployment of this project sets, and why.
ABSENT = {
    "AuthenticationEvents__BypassTokenValidation": "Microsoft's switch, which stops the start of this endpoint",
    "AZURE_AUTHORITY_HOST": "for sovereign clouds; in providerSettings where needed",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD": "the credential client-certificate needs a file beside the app",
    "AZURE_CLIENT_CERTIFICATE_PATH": "the same",
    "AZURE_FEDERATED_TOKEN_FILE": "for other clouds and Kubernetes",
    "AZURE_TOKEN_CREDENTIALS": "narrows the chain on a developer's machine",
}


def _param(name: str) -> Declaration:
    return next(param for param in MAIN.of("param") if param.name == name)


def _at(file: BicepFile, symbol: str, *path: str) -> Node:
    """Give the value at a path in a resource."""
    node = next(one for one in file.of("resource") if one.name == symbol).value
    for name in path:
        node = member(node, name)
    assert node is not None, path
    return node


def test_every_setting_reaches_the_app_or_is_left_out_on_purpose() -> None:
    """A setting of the code that no deployment can set would be one that nobody can use."""
    known = {name for path in (ROOT / "claims").rglob("*.py") for name in re.findall(r'"(\w+)"', path.read_text())}
    known |= set(_SETTING.findall((ROOT / "docs/settings.md").read_text()))
    settings = {name for name in known if _SETTING.fullmatch(name) and not name.endswith("__")}
    assert len(settings) > 30
    deployed = {name for name in named_settings(MAIN) if _SETTING.fullmatch(name)}
    assert deployed | ABSENT.keys() == settings
    assert not deployed & ABSENT.keys()


@pytest.mark.parametrize(
    ("name", "default", "least", "most"),
    [
        ("budgetMs", DEFAULT_BUDGET_MS, MIN_BUDGET_MS, MAX_BUDGET_MS),
        ("staleSeconds", DEFAULT_STALE_S, 1, 86400),
        ("maxConcurrent", DEFAULT_MAX_CONCURRENT, 1, 10_000),
    ],
)
def test_bounds_are_the_endpoints(name: str, default: int, least: int, most: int) -> None:
    """Bicep and the code refuse the same values."""
    rules = constraints(_param(name))
    value = _param(name).value
    assert value is not None
    assert (known_value(value), rules.least, rules.most) == (default, least, most)


def test_the_caller_is_entras_event_service() -> None:
    """The default is Microsoft's own application, and both ends of the GUID's length are held."""
    rules = constraints(_param("audienceAppId"))
    assert (rules.least_length, rules.most_length) == (36, 36)
    assert literal(_param("authorizedPartyAppId").value) == EVENT_SERVICE_APP_ID


def test_the_platforms_python_is_the_packages() -> None:
    """The package is compiled for one version, and the platform runs that one."""
    version = ".".join(map(str, PYTHON_VERSION))
    runtime = _at(FLEX, "app", "properties", "functionAppConfig", "runtime", "version")
    assert literal(runtime) == version
    assert literal(_at(PREMIUM, "app", "properties", "siteConfig", "linuxFxVersion")) == f"Python|{version}"
    assert sys.version_info[:2] >= PYTHON_VERSION


@pytest.mark.parametrize("file", [FLEX, PREMIUM], ids=["flex", "premium"])
def test_the_way_in_is_narrow(file: BicepFile) -> None:
    """Https only, TLS 1.2 at least, no FTP, no cross-origin calls."""
    assert text(_at(file, "app", "properties", "httpsOnly")) == "true"
    assert literal(_at(file, "app", "properties", "siteConfig", "minTlsVersion")) == "1.2"
    assert literal(_at(file, "app", "properties", "siteConfig", "ftpsState")) == "Disabled"
    assert "cors" not in named_settings(file)


def test_nothing_opens_with_a_password_or_a_key() -> None:
    """Publishing, storage and telemetry take identities only."""
    protection, foundation = read(INFRA / "protection.bicep"), read(INFRA / "foundation.bicep")
    for policy in ("noFtpPassword", "noScmPassword"):
        assert text(_at(protection, policy, "properties", "allow")) == "false"
    assert text(_at(foundation, "storage", "properties", "allowSharedKeyAccess")) == "false"
    assert text(_at(foundation, "storage", "properties", "allowBlobPublicAccess")) == "false"
    assert text(_at(foundation, "insights", "properties", "DisableLocalAuth")) == "true"


def test_two_instances_are_always_ready_and_concurrency_is_stated() -> None:
    """Below two, a restart is an outage; unstated, Python's concurrency is the platform's guess."""
    value = _param("alwaysReadyInstances").value
    assert value is not None
    assert known_value(value) >= 2
    scale = _at(FLEX, "app", "properties", "functionAppConfig", "scaleAndConcurrency")
    assert "perInstanceConcurrency" in text(scale)
    assert "name: 'http'" in text(scale)


def _alerts() -> Iterator[tuple[str, Path]]:
    """Give each rule's measure, and the query that it is measured in."""
    alerts = read(INFRA / "alerts.bicep")
    for node in walk(alerts.root):
        query, measure = member(node, "query"), literal(member(node, "measure"))
        if query is not None and measure:
            path = loaded_path(query)
            assert path is not None
            yield measure, INFRA / path


@pytest.mark.parametrize(("measure", "query"), list(_alerts()), ids=lambda value: str(value).rpartition("/")[2])
def test_alerts_measure_a_column_of_their_query(measure: str, query: Path) -> None:
    """A rule whose column is not there never fires."""
    assert measure in read_query(query).columns


def test_queries_name_the_function_as_the_host_does() -> None:
    """The host calls a request by the function's name, which is not that of its route."""
    named = re.findall(r"async def (\w+)\(req", (ROOT / "function_app.py").read_text())
    for path in (INFRA / "queries").glob("*.kql"):
        for name in re.findall(r'Name =~ "(\w+)"', path.read_text()):
            assert name in named


def test_the_probe_and_the_outer_layer_agree_on_what_is_open() -> None:
    """What the availability test calls without a token is what App Service lets through without one."""
    excluded = _at(
        read(INFRA / "protection.bicep"), "authentication", "properties", "globalValidation", "excludedPaths"
    )
    assert [literal(path) for path in excluded.named_children] == ["/api/health"]
    assert text(_at(read(INFRA / "alerts.bicep"), "probe", "properties", "Request", "RequestUrl")).endswith(
        "/api/health'"
    )


def test_the_workbook_is_generated() -> None:
    """Mend it with ``python -m infra.workbook``."""
    assert workbook.WORKBOOK.read_text() == workbook.written(workbook.build())

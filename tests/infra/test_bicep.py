"""The deployment as the compiler predicts it: what is deployed is what this project says of itself."""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from claims.contract import EVENT_SERVICE_APP_ID
from claims.event import MAX_BODY_BYTES
from claims.settings.settings import (
    DEFAULT_BUDGET_MS,
    DEFAULT_MAX_CONCURRENT,
    DEFAULT_STALE_S,
    MAX_BUDGET_MS,
    MIN_BUDGET_MS,
)
from infra import workbook
from infra.bicep import PREFLIGHT, preflight_rules, written
from infra.package import PYTHON_VERSION
from tests.infra import kusto
from tests.infra.checkout import ROOT, walk
from tests.infra.conftest import Plan

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


def _parameter(name: str) -> Mapping[str, Any]:
    rules: Mapping[str, Any] = json.loads(PREFLIGHT.read_text())["parameters"][name]
    return rules


def test_the_prediction_has_no_diagnostics(plan: Plan) -> None:
    """With the least that has to be set."""
    assert plan.diagnostics == []


def test_the_preflight_knows_the_parameters(main_template: Any) -> None:
    """``preflight.json`` is what the compiler makes of ``main.bicep``; ``python -m infra.bicep`` writes it."""
    assert PREFLIGHT.read_text() == written(preflight_rules(main_template))


def test_every_setting_reaches_the_app_or_is_left_out_on_purpose(plan: Plan) -> None:
    """A setting of the code that no deployment can set would be one that nobody can use."""
    known = {name for path in (ROOT / "claims").rglob("*.py") for name in re.findall(r'"(\w+)"', path.read_text())}
    known |= set(_SETTING.findall((ROOT / "docs/settings.md").read_text()))
    settings = {name for name in known if _SETTING.fullmatch(name) and not name.endswith("__")}
    assert len(settings) > 30
    deployed = {name for name in plan.settings if _SETTING.fullmatch(name)}
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
    assert _parameter(name) == {"type": "int", "defaultValue": default, "minValue": least, "maxValue": most}


def test_the_caller_is_entras_event_service() -> None:
    """The default is Microsoft's own application, and both ends of the GUID's length are held."""
    assert _parameter("audienceAppId") == {"type": "string", "minLength": 36, "maxLength": 36}
    assert _parameter("authorizedPartyAppId")["defaultValue"] == EVENT_SERVICE_APP_ID


def test_the_platforms_python_is_the_packages(plan: Plan) -> None:
    """The package is compiled for one version, and the platform runs that one."""
    version = ".".join(map(str, PYTHON_VERSION))
    if plan.name == "flex":
        assert plan.app["functionAppConfig"]["runtime"] == {"name": "python", "version": version}
    else:
        assert plan.app["siteConfig"]["linuxFxVersion"] == f"Python|{version}"
    assert sys.version_info[:2] >= PYTHON_VERSION


def test_the_way_in_is_narrow(plan: Plan) -> None:
    """Https only, TLS 1.2 at least, no FTP, no cross-origin calls."""
    assert plan.app["httpsOnly"] is True
    site = plan.app["siteConfig"]
    assert (site["minTlsVersion"], site["scmMinTlsVersion"], site["ftpsState"]) == ("1.2", "1.2", "Disabled")
    assert "cors" not in site


def test_nothing_opens_with_a_password_or_a_key(plan: Plan) -> None:
    """Publishing, storage and telemetry take identities only."""
    policies = plan.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert [policy["properties"] for policy in policies] == [{"allow": False}] * 2
    (storage,) = plan.of("Microsoft.Storage/storageAccounts")
    assert storage["properties"]["allowSharedKeyAccess"] is False
    assert storage["properties"]["allowBlobPublicAccess"] is False
    (insights,) = plan.of("Microsoft.Insights/components")
    assert insights["properties"]["DisableLocalAuth"] is True


def test_two_instances_are_always_ready_and_concurrency_is_stated(plan: Plan) -> None:
    """Below two, a restart is an outage; unstated, Python's concurrency is the platform's guess."""
    if plan.name == "flex":
        scale = plan.app["functionAppConfig"]["scaleAndConcurrency"]
        assert scale["alwaysReady"] == [{"name": "http", "instanceCount": 2}]
        assert (
            scale["triggers"]["http"]["perInstanceConcurrency"] == _parameter("perInstanceConcurrency")["defaultValue"]
        )
    else:
        assert plan.app["siteConfig"]["minimumElasticInstanceCount"] == 2


def test_the_host_refuses_bodies_over_the_endpoints_limit(plan: Plan) -> None:
    """Before they are held, whoever sends them; `func start` does the same."""
    assert plan.settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] == str(MAX_BODY_BYTES)
    local = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert local["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] == str(MAX_BODY_BYTES)


def test_alerts_measure_a_column_of_their_query(plan: Plan) -> None:
    """A rule whose column is not there never fires."""
    if missing := kusto.why_not():
        pytest.skip(missing)
    alerts = [rule["properties"]["criteria"]["allOf"][0] for rule in plan.of("Microsoft.Insights/scheduledQueryRules")]
    assert len(alerts) == 7
    kusto.prepare(alert["query"] for alert in alerts)
    for alert in alerts:
        assert alert["metricMeasureColumn"] in kusto.judge(alert["query"]).columns


def test_a_restart_is_no_alert(plan: Plan) -> None:
    """A gap of a minute lies in fewer windows than the alerts on shares and percentiles need, one after the other."""
    gap_s = 60
    rules = {rule["name"]: rule["properties"] for rule in plan.of("Microsoft.Insights/scheduledQueryRules")}
    for name in ("claims-late", "claims-failing", "claims-over-budget"):
        window_s, every_s = (_seconds(rules[name][member]) for member in ("windowSize", "evaluationFrequency"))
        (criterion,) = rules[name]["criteria"]["allOf"]
        periods = criterion["failingPeriods"]
        assert periods["minFailingPeriodsToAlert"] == periods["numberOfEvaluationPeriods"]
        assert periods["numberOfEvaluationPeriods"] > (window_s + gap_s) // every_s + 1


def test_little_traffic_is_watched(plan: Plan) -> None:
    """Two lost calls are enough for one alert, and silence after a day with calls for another, without any setting."""
    rules = {rule["name"]: rule["properties"] for rule in plan.of("Microsoft.Insights/scheduledQueryRules")}
    assert rules["claims-failing-few"]["enabled"] is True
    assert rules["claims-gone-silent"]["enabled"] is True
    assert _seconds(rules["claims-gone-silent"]["windowSize"]) == 2 * 24 * 3600


def _seconds(duration: str) -> int:
    """Read an ISO 8601 duration of one unit."""
    match = re.fullmatch(r"PT?(\d+)([MHD])", duration)
    assert match is not None
    return int(match[1]) * {"M": 60, "H": 3600, "D": 86400}[match[2]]


def test_the_probe_and_the_outer_layer_agree_on_what_is_open(plan: Plan, main_template: Any) -> None:
    """What the availability test calls without a token is what App Service lets through without one."""
    open_paths = [
        node for path, node in walk(main_template) if path[-1:] == ("excludedPaths",) and isinstance(node, list)
    ]
    assert open_paths == [["/api/health"]]
    (probe,) = plan.of("Microsoft.Insights/webtests")
    assert "https://{0}/api/health'" in probe["properties"]["Request"]["RequestUrl"]


def test_the_workbook_is_generated() -> None:
    """Write it with ``python -m infra.workbook``."""
    assert workbook.WORKBOOK.read_text() == workbook.written(workbook.build())

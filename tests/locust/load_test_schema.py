"""The JSON Schema of a test configuration of Azure Load Testing.

Source: azure-docs ``app-testing/load-testing/reference-test-config-yaml.md`` (keys, types, client metrics) and
``how-to-define-test-criteria.md`` (a criterion for one request is a mapping from its name), read in November 2026.
"""

from typing import Any, Final

_PERCENTILES: Final = "50|75|90|95|96|97|98|99|999|9999"

#: Aggregate function, metric, condition, threshold: only in the combinations of the table.
CRITERION: Final = "|".join(
    [
        rf"^(avg|min|max|p({_PERCENTILES}))\(response_time_ms\) *[<>] *\d+$",
        r"^(avg|min|max|p(50|90|95|99))\(latency\) *[<>] *\d+$",
        r"^percentage\(error\) *> *(100|\d{1,2})(\.\d+)?$",
        r"^avg\(requests_per_sec\) *[<>] *\d+(\.\d{1,2})?$",
        r"^count\(requests\) *[<>] *\d+$",
    ]
)

_CRITERION: Final[dict[str, Any]] = {"type": "string", "pattern": CRITERION}
_CRITERIA: Final[dict[str, Any]] = {
    "type": "array",
    "maxItems": 50,
    "items": {
        "anyOf": [
            _CRITERION,
            {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": _CRITERION},
        ]
    },
}


def _closed(required: str, **properties: object) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def _list_of(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_TEXT: Final[dict[str, Any]] = {"type": "string", "minLength": 1}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": 400}
_METRIC: Final = _closed("name namespace aggregation", name=_TEXT, namespace=_TEXT, aggregation=_TEXT)
_KEY_VAULT: Final[dict[str, Any]] = {"type": "string", "pattern": r"^https://[\w-]+\.vault\.azure\.net/\w+/"}
_IDENTITY: Final = _closed(
    "kind type",
    kind={"enum": ["KeyVault", "Metrics", "Engine"]},
    type={"enum": ["SystemAssigned", "UserAssigned"]},
    value=_TEXT,
)

SCHEMA: Final = _closed(
    "version testId testType testPlan engineInstances",
    version={"const": "v0.1"},
    testId={"type": "string", "pattern": r"^[a-z0-9_-]{2,50}$"},
    displayName=_TEXT,
    description={"type": "string", "maxLength": 100},
    testType={"enum": ["URL", "JMX", "Locust"]},
    testPlan=_TEXT,
    engineInstances=_COUNT,
    configurationFiles=_list_of(_TEXT),
    zipArtifacts={"type": "array", "items": _TEXT, "maxItems": 5},
    splitAllCSVs={"type": "boolean"},
    properties=_closed("userPropertyFile", userPropertyFile=_TEXT),
    failureCriteria={"anyOf": [_CRITERIA, _closed("clientMetrics", clientMetrics=_CRITERIA)]},
    autoStop={
        "anyOf": [
            {"const": "disable"},
            _closed(
                "",
                errorPercentage={"type": "integer", "minimum": 0, "maximum": 100},
                timeWindow={"type": "integer", "minimum": 1},
            ),
        ]
    },
    env=_list_of(_closed("name value", name=_TEXT, value=_TEXT)),
    secrets=_list_of(_closed("name value", name=_TEXT, value=_KEY_VAULT)),
    certificates=_list_of(_closed("name value", name=_TEXT, value=_KEY_VAULT)),
    appComponents=_list_of(
        _closed("resourceId metrics", resourceId=_TEXT, resourceName=_TEXT, kind=_TEXT, metrics=_list_of(_METRIC))
    ),
    subnetId=_TEXT,
    publicIPDisabled={"type": "boolean"},
    regionalLoadTestConfig=_list_of(_closed("region engineInstances", region=_TEXT, engineInstances=_COUNT)),
    referenceIdentities=_list_of(_IDENTITY),
)

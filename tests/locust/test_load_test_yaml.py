"""The configuration for Azure Load Testing: documented keys, existing files, and names of the locustfile."""

import copy
import re
from typing import Any

import jsonschema
import pytest
import yaml

from tests.locust.load_test_schema import SCHEMA
from tests.locust.runs import LOCUSTFILE

CONFIGURATION: dict[str, Any] = yaml.safe_load(LOCUSTFILE.with_name("load-test.yaml").read_text())


def test_keys_and_values_are_documented_ones() -> None:
    """The service ignores or refuses unknown keys."""
    jsonschema.validate(CONFIGURATION, SCHEMA)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("failureCriterias", []),
        ("failureCriteria", ["p98(latency) > 10"]),
        ("failureCriteria", [{"sign-in": "percentage(errors) > 1"}]),
        ("failureCriteria", [{"sign-in": "p99(response_time_ms) > 1.5"}]),
        ("autoStop", {"errorPercent": 50}),
        ("env", [{"name": "ENTRA_RATE", "value": 25}]),
        ("secrets", [{"name": "ENTRA_CLIENT_SECRET", "value": "the secret itself"}]),
        ("testId", "Entra Claims"),
        ("engineInstances", "2"),
    ],
)
def test_schema_refuses_what_is_not(key: str, value: object) -> None:
    """The schema can fail."""
    wrong = {**copy.deepcopy(CONFIGURATION), key: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)


def test_everything_to_upload_is_beside_it() -> None:
    """Script and data are in the folder of the configuration, and named without a folder."""
    named = [CONFIGURATION["testPlan"], *CONFIGURATION["configurationFiles"]]
    assert all((LOCUSTFILE.parent / name).is_file() for name in named)
    assert LOCUSTFILE.name == CONFIGURATION["testPlan"]


def test_criteria_name_rows_that_the_locustfile_reports() -> None:
    """A criterion for a request that does not exist would never be true."""
    named = {name for criterion in CONFIGURATION["failureCriteria"] for name in criterion}
    text = LOCUSTFILE.read_text()
    assert named == {"sign-in", "callout"}
    assert all(f'"{name}"' in text for name in named)


def test_variables_are_read() -> None:
    """The locustfile reads every variable of the configuration."""
    text = LOCUSTFILE.read_text()
    listed = re.findall(r'^ {8}\("([a-z-]+)", ', text, re.MULTILINE)
    options = {"ENTRA_" + name.replace("-", "_").upper() for name in listed}
    secrets = set(re.findall(r'"(ENTRA_[A-Z_]*[A-Z])"', text))
    given = {entry["name"] for entry in [*CONFIGURATION["env"], *CONFIGURATION["secrets"]]}
    assert given <= options | secrets | {"LOCUST_HOST", "LOCUST_RUN_TIME"}
    assert secrets - {"ENTRA_TOKEN"} <= given, "client credentials are whole"

"""Thresholds of the user's own: which texts are some, and that the results file takes the same."""

import json

import pytest

from selftest.load.measured.thresholds import PATTERN, threshold
from selftest.report.stored import SCHEMA_PATH


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("p95<300", "p95<300"),
        ("p(95) < 300", "p95<300"),
        ("p99.9<=1.5s", "p99.9<=1.5s"),
        ("max<2000ms", "max<2000ms"),
        ("errors<1%", "errors<1%"),
        ("missed<0.01", "missed<0.01"),
        ("lost<=0", "lost<=0"),
    ],
)
def test_what_is_a_threshold(text: str, kept: str) -> None:
    """As in k6, with and without its parentheses and spaces."""
    assert threshold(text) == kept


@pytest.mark.parametrize(
    "text",
    ["", "p95", "p95>300", "p95<", "p96<300", "p95<-1", "p95<3%", "errors<300ms", "avg<1", "p95<1e3", "p95<3\n;"],
)
def test_what_is_none(text: str) -> None:
    """The message has examples."""
    with pytest.raises(ValueError, match="such as p95<300"):
        threshold(text)


def test_the_schema_takes_the_same() -> None:
    """A raw file from elsewhere is judged by the same rule."""
    schema = json.loads(SCHEMA_PATH.read_bytes())
    assert schema["$defs"]["load_config"]["properties"]["thresholds"]["items"]["pattern"] == PATTERN

"""The tables of docs/capacity.md are computed from the results, and from the defaults that are deployed."""

import re

import pytest

from benchmarks import capacity
from benchmarks.capacity import Measured, NotMeasured, tables
from benchmarks.table import RESULTS
from tests.checkout import ROOT

_ENDPOINT = """<!-- endpoint -->
|  | requests/s | CPU ms each | p50 ms at 100/s |
| --- | ---: | ---: | ---: |
| this endpoint | 4000 | 0.250 | 1.00 |
<!-- end of endpoint -->
<!-- cold-start -->
|  | first answer ms |
| this endpoint | 700 |
<!-- end of cold-start -->
"""
_HOST = """<!-- microsoft-host -->
|  | calls/s | worker CPU us | host CPU us |
| empty function | 900 | 1 | 1 |
| this endpoint | 800 | 900 | 1100 |
<!-- end of microsoft-host -->
<!-- real-downstream -->
|  | served by | CPU ms each |
| this endpoint | the worker | 0.350 |
<!-- end of real-downstream -->
"""


def test_page_is_computed_from_the_results() -> None:
    """Who measures again computes the page again: python -m benchmarks.capacity."""
    page = capacity.PAGE.read_text()
    assert capacity.written(page, tables(RESULTS.read_text())) == page


def test_what_was_not_measured_on_the_host_is_said() -> None:
    """Without Microsoft's host the figures are those of the worker library, and the page says so."""
    assert Measured.of(_ENDPOINT) == Measured(
        0.25, 1.0, 700, "the worker library alone; HOST=… measures Microsoft's host, too"
    )
    measured = Measured.of(_ENDPOINT + _HOST)
    assert measured.cpu_ms == pytest.approx(2.0 + 0.1)
    assert measured.says == "Microsoft's host and its worker, with a call of an API"


def test_the_smaller_limit_counts() -> None:
    """A fast data source leaves the processor as the limit, a slow one the calls at once."""
    measured = Measured(2.0, 0.0, 700, "")
    assert measured.of_instance(20) == measured.by_cpu() == pytest.approx(300)
    assert measured.of_instance(1000) == measured.by_concurrency(1000) == pytest.approx(16)


def test_limits_of_others_are_named() -> None:
    """A row whose busiest second is over a limit says whose."""
    rows = {
        row.split(" | ")[0].strip("| "): row for row in tables(_ENDPOINT + _HOST).splitlines() if row.startswith("|")
    }
    assert "| none |" in rows["100,000"]
    assert "external tenant" in rows["1,000,000"]


def test_results_without_a_part_name_it() -> None:
    """What is missing is what to run."""
    with pytest.raises(NotMeasured, match="python -m benchmarks endpoint"):
        tables("")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("perInstanceConcurrency", capacity.CONCURRENCY),
        ("alwaysReadyInstances", capacity.ALWAYS_READY),
        ("instanceMemoryMB", int(capacity.MEMORY_GB * 1024)),
    ],
)
def test_defaults_are_those_that_are_deployed(parameter: str, value: int) -> None:
    """The page computes with what infra/main.bicep sets."""
    bicep = (ROOT / "infra" / "main.bicep").read_text()
    assert re.search(rf"^param {parameter} int = {value}$", bicep, re.MULTILINE)

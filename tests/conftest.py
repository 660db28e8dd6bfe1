"""What holds in every test."""

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.outside_requests import OutsideRequests

pytest_plugins = ["selftest.testing.plugin"]

_OUTSIDE: Final = OutsideRequests()
#: What takes a minute or more. A parallel run starts these first, or it ends with one process at work.
_LONGEST: Final = (
    *("starter/test_copy.py", "foreign/test_verdicts.py", "foreign/test_page.py", "app/test_memory.py"),
    *("browser/test_report_page.py", "browser/test_playground.py", "locust/test_locustfile.py"),
    *("infra/test_package.py", "selftest/playground/test_player.py", "clients/test_msal_js.py"),
    *("selftest/checks/test_each_fault_check_can_fail.py", "test_samples.py", "tool/test_wheel.py"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Listen before any test module is imported: what an import logs is lost in Azure, too."""
    config.addinivalue_line("markers", "without_endpoint: writes lines of the log without a request, to test them")
    logger = logging.getLogger("claims")
    logger.addHandler(_OUTSIDE)
    logger.setLevel(logging.DEBUG)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Keep modules and tests out of every later collection: a test that collects looks at what it made itself."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave what CI has no time for to the night, visibly."""
    if item.get_closest_marker("nightly") is not None and not os.environ.get("NIGHTLY"):
        pytest.skip("NIGHTLY=1 runs it (make nightly)")


@pytest.fixture(autouse=True)
def _no_record_outside_a_request(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test, or the first one after an import, in which the endpoint logs while no request runs."""
    yield
    found = [*_OUTSIDE.found]
    _OUTSIDE.found.clear()
    if found and request.node.get_closest_marker("without_endpoint") is None:
        pytest.fail(f"logged while no request runs, which Azure drops: {found}")


@pytest.fixture(scope="session", autouse=True)
def _state_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tool's state in a folder of this test run, also in the processes that tests start."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before

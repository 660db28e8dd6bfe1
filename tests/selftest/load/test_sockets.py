"""The limit of open files: raised if allowed, and otherwise a limit of the run."""

import subprocess
import sys

import pytest

from tests.checkout import ROOT

resource = pytest.importorskip("resource", reason="Windows has no such limit")


def allowed(soft: int, hard: int, wanted: int) -> tuple[int, int]:
    """Return the possible connections and the limit afterwards, in a process with these limits."""
    program = (
        "import resource; from selftest.load.sockets import allow_connections\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        f"print(allow_connections({wanted}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    fit, limit = map(int, done.stdout.split())
    return fit, limit


def test_a_limit_that_is_high_enough_is_left_alone() -> None:
    """A sufficient limit is not changed."""
    assert allowed(900, 1000, 500) == (500, 900)


def test_a_low_limit_is_raised() -> None:
    """A low limit is raised as far as needed."""
    assert allowed(256, 1000, 500) == (500, 628)


def test_what_the_system_forbids_bounds_the_run() -> None:
    """The run has fewer connections if the limit cannot be raised."""
    assert allowed(256, 300, 500) == (172, 300)

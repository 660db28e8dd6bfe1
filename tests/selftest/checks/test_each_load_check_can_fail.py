"""Every load check passes for a good run and fails for a run with one fault."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY
from selftest.checks.runner import run_checks
from selftest.report.load_result import LoadResult
from selftest.report.results import CheckResult
from tests.selftest.checks.load_faults import LOAD_FAULTS, LOAD_GOOD, LOAD_RUNS, found
from tests.selftest.checks.planted_fault import PlantedFault
from tests.selftest.checks.served_endpoint import ServedEndpoint, open_served_endpoint
from tests.selftest.load.loads import GOOD_LOAD, GOOD_STEP, LATE_GENERATOR, SOAK, SPIKE, STEPS

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def one_endpoint() -> AsyncIterator[ServedEndpoint]:
    """Return an environment; these checks send nothing."""
    async with open_served_endpoint() as served:
        yield served


async def outcome(served: ServedEndpoint, check_id: str, fault: PlantedFault) -> CheckResult:
    """Run one check on a load result."""
    (result,) = [result async for result in run_checks([REGISTRY[check_id]], fault.env(served.env))]
    return result


async def test_every_load_check_has_a_run() -> None:
    """The table and the registry name the same checks."""
    assert set(LOAD_RUNS) == {name for name, check in REGISTRY.items() if "load" in check.needs}


@pytest.mark.parametrize("check_id", LOAD_RUNS)
async def test_holds_for_a_good_run_and_fails_for_a_bad_one(served: ServedEndpoint, check_id: str) -> None:
    """A check distinguishes the two runs."""
    good = await outcome(served, check_id, LOAD_GOOD[check_id])
    assert good.status == "pass", good.actual
    bad = await outcome(served, check_id, LOAD_FAULTS[check_id])
    assert bad.status == "fail", bad.actual


@pytest.mark.parametrize("check_id", LOAD_RUNS)
async def test_without_a_load_it_is_a_visible_skip(served: ServedEndpoint, check_id: str) -> None:
    """Without a load there is no verdict."""
    result = await outcome(served, check_id, PlantedFault())
    assert result.status == "skip"
    assert result.actual.startswith(("no load was run", "only "))


@pytest.mark.parametrize("check_id", ["L01", "L02", "L07", "L08"])
async def test_a_run_that_is_not_valid_neither_passes_nor_fails(served: ServedEndpoint, check_id: str) -> None:
    """With a late generator no measurement proves anything."""
    for load in LOAD_RUNS[check_id]:
        result = await outcome(served, check_id, found(replace(load, faults=(LATE_GENERATOR,))))
        assert result.status == "skip"
        assert "lower --rate" in result.actual


@pytest.mark.parametrize(
    ("check_id", "load", "words"),
    [
        ("L01", STEPS, "judged by L06"),
        ("L02", STEPS, "judged by L06"),
        ("L03", replace(GOOD_LOAD, phases=()), "no Server-Timing"),
        ("L04", replace(GOOD_LOAD, cold_starts=()), "no new process of the app was started"),
        ("L05", GOOD_LOAD, "--profile soak"),
        ("L05", replace(SOAK, memory=SOAK.memory[:3]), "0 samples are too few"),
        ("L05", replace(SOAK, drift=None), "too few for a trend"),
        ("L06", GOOD_LOAD, "--profile step"),
        (
            "L06",
            replace(STEPS, steps=(GOOD_STEP, replace(GOOD_STEP, valid=False))),
            "at 50 a second the generator",
        ),
        ("L08", replace(SOAK, drift=None), "too short for a trend"),
    ],
)
async def test_what_cannot_be_said_is_a_skip_with_its_reason(
    served: ServedEndpoint, check_id: str, load: LoadResult, words: str
) -> None:
    """Each reason names what is missing."""
    result = await outcome(served, check_id, found(load))
    assert result.status == "skip"
    assert words in result.actual


@pytest.mark.parametrize(
    ("check_id", "load", "words"),
    [
        (
            "L04",
            replace(GOOD_LOAD, cold_starts=(replace(GOOD_LOAD.cold_starts[0], minted=False),)),
            "0 of 1 sign-ins got a token",
        ),
        (
            "L06",
            replace(STEPS, steps=(replace(GOOD_STEP, held=False),)),
            "none of the rates",
        ),
        ("L07", replace(SPIKE, recovery_s=None), "was not back when the run ended"),
    ],
)
async def test_other_ways_to_fail(served: ServedEndpoint, check_id: str, load: LoadResult, words: str) -> None:
    """A fast answer without claims, no rate at all, and a latency that never comes back."""
    result = await outcome(served, check_id, found(load))
    assert result.status == "fail"
    assert words in result.actual


@pytest.mark.parametrize("check_id", ["L01", "L02"])
@pytest.mark.parametrize(
    ("code", "name", "words", "others"),
    [
        ("1003005", "CustomExtensionTimedOut", "", "connection"),
        ("1003027", "CustomExtensionConnectionError", "the connection was refused or broke", "cache"),
        ("1003001", "CustomExtensionUnexpectedError", "broke off or was no HTTP", "cache"),
        ("1003002", "CustomExtensionInvalidHTTPStatus", "a status that is not 200", "cache"),
        ("1003003", "CustomExtensionInvalidResponseBody", "1003003: ", "cache"),
    ],
)
async def test_the_fix_is_that_of_the_code(
    served: ServedEndpoint, check_id: str, code: str, name: str, words: str, others: str
) -> None:
    """A reset after 2 ms is not slowness, and a refusal is not an overload."""
    counts = replace(GOOD_LOAD.counts, minted=0, lost=1200, first_calls_missed=1200)
    load = replace(GOOD_LOAD, counts=counts, outcomes={code: 1200}, missed_below=1.0, missed_above=0.99)
    result = await outcome(served, check_id, found(load))
    assert f"{code} {name}: 1,200" in result.actual
    assert words in result.fix
    assert others not in result.fix


@pytest.mark.parametrize("check_id", LOAD_RUNS)
async def test_a_fix_names_no_file_of_this_project(served: ServedEndpoint, check_id: str) -> None:
    """Load is played against endpoints in any language."""
    fix = (await outcome(served, check_id, LOAD_FAULTS[check_id])).fix
    assert not re.search(r"claims/|Claims__|docs/|\.py|\.md", fix + REGISTRY[check_id].fix)

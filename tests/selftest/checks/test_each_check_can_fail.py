"""Every check passes for the valid endpoint and fails for the same endpoint with one planted fault."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY
from selftest.checks.runner import run_checks
from selftest.report.results import CheckResult
from tests.selftest.checks.body_faults import BODY_FAULTS
from tests.selftest.checks.contract_faults import CONTRACT_FAULTS
from tests.selftest.checks.instance_faults import INSTANCE_FAULTS
from tests.selftest.checks.key_faults import KEY_FAULTS, KEY_STAGES
from tests.selftest.checks.load_faults import LOAD_FAULTS
from tests.selftest.checks.planted_fault import GOOD, PlantedFault
from tests.selftest.checks.policy_faults import POLICY_FAULTS, PROVIDER_FAULTS
from tests.selftest.checks.served_endpoint import ServedEndpoint, open_served_endpoint
from tests.selftest.checks.token_faults import TOKEN_FAULTS

FAULTS = TOKEN_FAULTS | KEY_FAULTS | BODY_FAULTS | CONTRACT_FAULTS
STAGED = [name for name, check in REGISTRY.items() if check.stage in KEY_STAGES]
INSTANCES = [name for name, check in REGISTRY.items() if "instances" in check.needs]
VARIANTS = [
    name for name, check in REGISTRY.items() if check.needs & {"downstream", "provider"} and name not in INSTANCES
]
LOAD = [name for name, check in REGISTRY.items() if "load" in check.needs]
OTHERS = [name for name in REGISTRY if name not in {*STAGED, *VARIANTS, *INSTANCES, *LOAD}]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def shared_endpoint() -> AsyncIterator[ServedEndpoint]:
    """Return one endpoint for all checks that do not change its state."""
    async with open_served_endpoint() as served:
        yield served


async def outcome(served: ServedEndpoint, check_id: str, fault: PlantedFault) -> CheckResult:
    """Run one check against the endpoint with this fault."""
    served.fault = fault
    results = [result async for result in run_checks([REGISTRY[check_id]], fault.env(served.env))]
    assert len(results) == 1
    return results[0]


async def test_every_check_has_a_fault() -> None:
    """The table of faults and the registry name the same checks."""
    assert {*FAULTS, *VARIANTS, *INSTANCE_FAULTS, *LOAD_FAULTS} == set(REGISTRY)
    assert set(INSTANCE_FAULTS) == set(INSTANCES)
    assert set(LOAD_FAULTS) == set(LOAD)
    assert {*POLICY_FAULTS, *PROVIDER_FAULTS["fail"]} == set(VARIANTS)


@pytest.mark.parametrize("check_id", OTHERS)
async def test_holds_for_the_good_endpoint_and_fails_with_its_fault(served: ServedEndpoint, check_id: str) -> None:
    """A check distinguishes the valid endpoint from one with a single fault."""
    good = await outcome(served, check_id, GOOD)
    assert good.status == "pass", good.actual
    bad = await outcome(served, check_id, FAULTS[check_id])
    assert bad.status == "fail", bad.actual


@pytest.mark.parametrize("check_id", STAGED)
async def test_a_check_of_one_stage_does_so_too(check_id: str) -> None:
    """A check of keys that change does so with two endpoints that have not seen them."""
    malformed = REGISTRY[check_id].stage == "malformed-keys"
    async with open_served_endpoint(malformed_keys=malformed) as served:
        good = await outcome(served, check_id, GOOD)
        assert good.status == "pass", good.actual
    async with open_served_endpoint(malformed_keys=malformed) as served:
        bad = await outcome(served, check_id, FAULTS[check_id])
        assert bad.status == "fail", bad.actual

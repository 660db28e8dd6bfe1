"""Each attack is refused by the rule that it tests.

An attack that is refused for another reason, such as a forged token with a wrong audience, tests nothing: the rule
could be deleted and the check would still pass. The endpoint's log has the code of the rule.
"""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from claims.endpoint import Endpoint
from selftest.checks import REGISTRY
from selftest.checks.runner import run_checks
from selftest.entra.server import EntraServer
from selftest.play.target import endpoint_settings
from tests.selftest.checks import body_faults, key_faults, token_faults
from tests.selftest.checks.served_endpoint import serve_endpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPECTED = {
    check_id: code
    for refused in (token_faults.REFUSED, key_faults.REFUSED, body_faults.REFUSED)
    for code, faults in refused.items()
    for check_id in faults
}
REFUSALS = [
    check.id
    for check in REGISTRY.values()
    if check.id[0] in "TB"
    and check.stage not in key_faults.KEY_STAGES
    and check.title.startswith(("refuses", "validates"))
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="entra")
async def shared_entra() -> AsyncIterator[EntraServer]:
    """Return one tenant for all attacks."""
    async with EntraServer() as entra:
        entra.publish_well_formed()
        yield entra


async def test_every_attack_has_a_reason() -> None:
    """The table and the registry name the same attacks."""
    assert sorted(EXPECTED) == sorted(REFUSALS)


@pytest.mark.parametrize("check_id", REFUSALS)
async def test_the_rule_meant_refuses(entra: EntraServer, check_id: str) -> None:
    """The last request of the check is refused with the code of its rule.

    Each attack uses a new endpoint, because of one code only the first refusal of a minute is logged.
    """
    async with serve_endpoint(entra, Endpoint.from_env(endpoint_settings(entra))) as served:
        results = [result async for result in run_checks([REGISTRY[check_id]], served.env)]
    assert results[0].status == "pass", results[0].actual
    outcomes = [json.loads(line)["outcome"] for line in served.lines if line.startswith("{")]
    assert outcomes == ["claims", EXPECTED[check_id]]

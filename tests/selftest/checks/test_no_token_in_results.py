"""No result of any check contains a token that the check sent, whatever the endpoint answers."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY
from selftest.checks.runner import run_checks
from selftest.report.results import as_members
from tests.selftest.checks.key_faults import KEY_STAGES
from tests.selftest.checks.planted_fault import Incoming, Outgoing, PlantedFault
from tests.selftest.checks.served_endpoint import ServedEndpoint, open_served_endpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHECKS = [
    check
    for check in REGISTRY.values()
    if not check.needs & {"downstream", "provider", "instances", "load"} and check.stage not in KEY_STAGES
]
#: So many characters of a signature are in no text by chance.
_TELLING_CHARS = 24


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def shared_endpoint() -> AsyncIterator[ServedEndpoint]:
    """Return one endpoint, whose answers each test replaces."""
    async with open_served_endpoint() as served:
        yield served


def echoes(status: int, sent: set[str]) -> PlantedFault:
    """Return a fault that answers with the token in every place that a report shows, and collects the signatures."""

    async def before(request: Incoming, _: object) -> Outgoing:
        authorization = request.header("authorization") or request.query
        sent.update(
            part for token in authorization.split(",") if len(part := token.rpartition(".")[2]) > _TELLING_CHARS
        )
        shown = authorization.encode("ascii", "replace").decode()
        names = ("Server", "WWW-Authenticate", "Location", "Content-Type")
        return Outgoing(status=status, body=shown.encode(), headers=tuple((name, shown) for name in names))

    return PlantedFault(before=before)


@pytest.mark.parametrize("real", [True, False], ids=["deployed", "emulated"])
@pytest.mark.parametrize("status", [200, 302, 401, 500])
async def test_no_report_shows_a_token(served: ServedEndpoint, status: int, *, real: bool) -> None:
    """A real token is the user's; every place of a result is looked at, for all checks."""
    sent = set[str]()
    served.fault = echoes(status, sent)
    env = replace(served.env, log=None)
    if real:
        env = replace(env, trusted=False, real_token=served.entra.mint.callout_token())
    results = json.dumps([as_members(result) async for result in run_checks(CHECKS, env)])
    assert sent
    shown = {signature for signature in sent if signature[:_TELLING_CHARS] in results}
    assert not shown, [results[max(0, at - 400) : at + 50] for at in (results.find(next(iter(shown))[:24]),)]

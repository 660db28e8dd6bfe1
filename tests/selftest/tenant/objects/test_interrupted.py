"""The next run completes a run that was interrupted anywhere, and nothing exists twice."""

from typing import Literal

import pytest

from selftest.base.cannot_run import CannotRun
from tests.emulated_graph.faults import GraphFault, killed_after
from tests.selftest.tenant.graph.wiring import bare_tenant
from tests.selftest.tenant.objects.entra_environment import EntraEnvironment, entra, shape


async def _uninterrupted(*, remove: bool = False) -> tuple[str, int]:
    """Return the final state of a complete run, and its number of requests."""
    async with entra() as env:
        await env.apply()
        before = len(env.server.log)
        if remove:
            await env.remove()
        return shape(env.tenant), len(env.server.log) - (before if remove else 0)


async def _attempt(env: EntraEnvironment, *, remove: bool = False) -> bool:
    try:
        await (env.remove() if remove else env.apply())
    except CannotRun:
        return False
    return True


@pytest.mark.parametrize(
    ("manner", "lag_requests"),
    [
        ("cut", 0),
        pytest.param("lose", 2, marks=pytest.mark.nightly),
        pytest.param("cut", 2, marks=pytest.mark.nightly),
        pytest.param("lose", 0, marks=pytest.mark.nightly),
    ],
)
async def test_apply_killed_after_each_request(manner: Literal["cut", "lose"], lag_requests: int) -> None:
    """For each n the server stops answering after n requests; the next run reaches the same final state."""
    wanted, requests = await _uninterrupted()
    ended = 0
    for number in range(requests + 1):
        async with entra(lag_requests=lag_requests) as env:
            env.server.faults.add(killed_after(number, manner=manner))
            ended += not await _attempt(env)
            env.server.faults.clear()
            await env.apply()
            assert shape(env.tenant) == wanted, number
            writes = len(env.server.writes)
            await env.apply()
            assert len(env.server.writes) == writes, number
    assert ended >= requests


@pytest.mark.parametrize("manner", ["cut", "lose"])
async def test_removal_killed_after_each_request(manner: Literal["cut", "lose"]) -> None:
    """Removal is completed in the same way, and leaves the tenant as it was before."""
    _, requests = await _uninterrupted(remove=True)
    for number in range(requests):
        async with entra() as env:
            untouched = env.tenant
            await env.apply()
            env.server.faults.add(killed_after(number, manner=manner))
            assert not await _attempt(env, remove=True)
            env.server.faults.clear()
            await env.remove()
            assert shape(env.tenant) == shape(untouched), number


async def test_an_answer_that_is_lost_is_not_a_second_object() -> None:
    """Each create is done and its answer lost, in one run: every object is found instead of created again."""
    wanted, _ = await _uninterrupted()
    async with entra() as env:
        for path in (
            "/servicePrincipals",
            "/identity/customAuthenticationExtensions",
            "/identity/authenticationEventListeners",
            "/policies",
        ):
            fault = GraphFault(manner="lose", method="POST", path=path, count=1)
            # Validating is a POST as well, and below the path of the extensions.
            if path.endswith("Extensions"):
                fault = GraphFault(manner="lose", method="POST", path=path, skip=1, count=1)
            env.server.faults.add(fault)
        await env.apply()
        assert shape(env.tenant) == wanted


async def test_shapes_can_differ() -> None:
    """The comparison can fail: another tenant has another shape."""
    async with entra() as env:
        assert shape(env.tenant) != (await _uninterrupted())[0]
        assert shape(bare_tenant()) == shape(bare_tenant())

"""Disabling takes the listener off one application, and enabling restores exactly what was."""

import json
from typing import Any, Literal

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.tenant.graph.objects import LISTENERS
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.steps.activation import allowed_before
from tests.emulated_graph.faults import GraphFault, killed_after
from tests.selftest.tenant.graph.wiring import bare_tenant, listener
from tests.selftest.tenant.objects.entra_environment import (
    CLIENT,
    CLIENT_PRINCIPAL,
    ENABLED,
    EntraEnvironment,
    entra,
    shape,
)
from tests.selftest.tenant.objects.test_conflicts import ALIEN, foreign_policy, item

OTHER = "22222222-2222-4222-8222-222222222229"


async def disable(env: EntraEnvironment) -> None:
    """Take the listener off the client application."""
    await env.switch("disable", CLIENT)


async def enable(env: EntraEnvironment) -> None:
    """Put it back."""
    await env.switch("enable", CLIENT)


def _listeners(env: EntraEnvironment) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = env.tenant["authenticationEventListeners"]
    return found


async def test_what_was_is_restored() -> None:
    """Only the listener goes; afterwards the tenant is as it was, but for the listener's id."""
    async with entra() as env:
        await env.apply()
        before = env.tenant
        await disable(env)
        assert [(state, what) for state, what, _ in env.reported] == [("changed", "way back"), ("deleted", "listener")]
        assert _listeners(env) == []
        kept = ("customAuthenticationExtensions", "applications")
        assert {kind: env.tenant[kind] for kind in kept} == {kind: before[kind] for kind in kept}
        await enable(env)
        assert shape(env.tenant) == shape(before)


async def test_twice_is_as_once() -> None:
    """A second run of either writes nothing."""
    async with entra() as env:
        await env.apply()
        for switch in (disable, enable):
            await switch(env)
            writes = len(env.server.writes)
            await switch(env)
            assert len(env.server.writes) == writes
            assert set(env.states) == {"exists"}


async def test_members_that_apply_would_not_write_are_restored() -> None:
    """A name, a timeout for this listener alone and a description that somebody has set."""
    async with entra() as env:
        await env.apply()
        made = item(env, "authenticationEventListeners", value=f"{ENABLED.display_name} for {CLIENT}")
        made["handler"]["configuration"] = {"clientConfiguration": {"timeoutInMilliseconds": 1500}}
        policy = item(env, "claimsMappingPolicies", value=f"{ENABLED.display_name} for {CLIENT}")
        policy["description"] += " Ask Dana before you change it: {x}"
        before = env.tenant
        await disable(env)
        assert allowed_before(item(env, "claimsMappingPolicies", value=policy["displayName"])) is not None
        await enable(env)
        assert shape(env.tenant) == shape(before)


async def test_a_shared_listener_loses_one_application() -> None:
    """Others keep being called; the order in which they come back does not matter."""
    async with entra() as env:
        await env.apply()
        made = item(env, "authenticationEventListeners", value=f"{ENABLED.display_name} for {CLIENT}")
        included = made["conditions"]["applications"]["includeApplications"]
        included.append({"appId": OTHER})
        before = env.tenant
        await disable(env)
        (left,) = _listeners(env)
        assert left["conditions"]["applications"]["includeApplications"] == [{"appId": OTHER}]
        await enable(env)
        apps = sorted(each["appId"] for each in _listeners(env)[0]["conditions"]["applications"]["includeApplications"])
        assert apps == sorted([CLIENT, OTHER])
        assert env.tenant["claimsMappingPolicies"] == before["claimsMappingPolicies"]


async def test_removal_of_a_disabled_application_restores_it() -> None:
    """What the application allowed before is still known."""
    tenant = bare_tenant()
    tenant["applications"][0]["api"] |= {"acceptMappedClaims": None, "requestedAccessTokenVersion": 1}
    async with entra(tenant) as env:
        before = env.tenant
        await env.apply()
        await disable(env)
        await env.remove()
        assert env.tenant == before


async def test_a_canary_leaves_no_trace() -> None:
    """Another environment's extension and listener serve the application for a while; then all is as it was."""
    async with entra() as env:
        await env.apply()
        before = env.tenant
        await disable(env)
        await env.canary("apply")
        (serving,) = _listeners(env)
        assert serving["displayName"] == f"Claims endpoint (canary) for {CLIENT}"
        await env.canary("remove")
        await enable(env)
        assert shape(env.tenant) == shape(before)


async def _uninterrupted() -> tuple[str, str, int, int]:
    """Return the two shapes, and how many requests lead to each."""
    async with entra() as env:
        await env.apply()
        start = len(env.server.log)
        await disable(env)
        off, requests = shape(env.tenant), len(env.server.log) - start
        await enable(env)
        return off, shape(env.tenant), requests, len(env.server.log) - start - requests


@pytest.mark.parametrize(
    ("manner", "lag_requests"),
    [
        ("lose", 2),
        pytest.param("cut", 0, marks=pytest.mark.nightly),
        pytest.param("cut", 2, marks=pytest.mark.nightly),
        pytest.param("lose", 0, marks=pytest.mark.nightly),
    ],
)
async def test_killed_after_each_request(manner: Literal["cut", "lose"], lag_requests: int) -> None:
    """For each n the server stops answering after n requests; the next run reaches the same state, and back."""
    off, on, to_off, to_on = await _uninterrupted()
    for switch, requests in ((disable, to_off), (enable, to_on)):
        for number in range(requests):
            async with entra(lag_requests=lag_requests) as env:
                await env.apply()
                if switch is enable:
                    await disable(env)
                env.server.faults.add(killed_after(number, manner=manner))
                with pytest.raises(CannotRun):
                    await switch(env)
                env.server.faults.clear()
                await switch(env)
                assert shape(env.tenant) == (off if switch is disable else on), number
                await disable(env)
                await enable(env)
                assert shape(env.tenant) == on, number


async def test_a_deletion_that_is_not_seen_is_not_verified() -> None:
    """Where Graph accepts the deletion and still lists the listener, the command says so instead of success."""
    async with entra() as env:
        await env.apply()
        env.server.faults.add(GraphFault(method="DELETE", path=LISTENERS, status=204, count=1))
        with pytest.raises(CannotRun, match="does not show it"):
            await disable(env)


async def test_what_cannot_be_restored_is_not_touched() -> None:
    """A listener of others, one without our policy, and an application that was never enabled."""
    async with entra() as env:
        await env.apply(phases="ABC")
        with pytest.raises(Conflict, match="no note of one that was disabled: run apply --enable"):
            await enable(env)
        await disable(env)
        assert env.states == ["exists", "exists"]
        extension = item(env, "customAuthenticationExtensions")
        env.server.writer.create("authenticationEventListeners", listener(extension["id"], conditions=ALIEN))
        before = env.tenant
        with pytest.raises(Conflict, match="remove --id"):
            await disable(env)
        assert env.tenant == before
    async with entra() as env:
        await env.apply()
        env.server.directory.kinds["claimsMappingPolicies"].clear()
        env.server.directory.policies.clear()
        with pytest.raises(Conflict, match="run remove --app"):
            await disable(env)
        assert len(_listeners(env)) == 1


async def test_what_has_changed_in_between_stops_enabling() -> None:
    """An extension that is gone, another policy, and a note that somebody has broken."""
    async with entra() as env:
        await env.apply()
        await disable(env)
        before = env.tenant
        foreign_policy(env)
        with pytest.raises(Conflict, match="--replace-policy"):
            await enable(env)
        env.server.directory.policies[CLIENT_PRINCIPAL] = [before["claimsMappingPolicies"][0]["id"]]
        extensions = env.server.directory.kinds["customAuthenticationExtensions"]
        held = dict(extensions)
        extensions.clear()
        with pytest.raises(Conflict, match="which is gone: run apply --enable"):
            await enable(env)
        extensions |= held
        policy = item(env, "claimsMappingPolicies", value=f"{ENABLED.display_name} for {CLIENT}")
        whole = policy["description"]
        for broken in (
            whole[:-5],
            whole.replace('"handler":', '"handlers":'),
            whole.replace("listener: ", "listener: 7"),
        ):
            policy["description"] = broken
            with pytest.raises(Conflict, match="no note"):
                await enable(env)
        policy["description"] = whole
        assert json.dumps(env.tenant["authenticationEventListeners"]) == "[]"
        await enable(env)
        assert len(_listeners(env)) == 1

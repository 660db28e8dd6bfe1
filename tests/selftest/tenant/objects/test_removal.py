"""Removal deletes all of our objects and none of others."""

from dataclasses import replace
from typing import Any

import pytest

from claims.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.steps.removal import named_removals, remove
from tests.emulated_graph import rules
from tests.emulated_graph.healthy_tenant import CLIENT_APPLICATION_ID, healthy_tenant
from tests.emulated_graph.refusal import bad_request
from tests.selftest.tenant.graph.wiring import bare_tenant, extension, listener
from tests.selftest.tenant.objects.entra_environment import (
    CLIENT,
    CLIENT_PRINCIPAL,
    ENABLED,
    PLAIN,
    EntraEnvironment,
    entra,
    shape,
)
from tests.selftest.tenant.objects.test_conflicts import foreign_policy, item

NEWCOMER = "22222222-2222-4222-8222-222222222229"


def _unset_client() -> dict[str, object]:
    """Return a tenant whose client allows nothing yet."""
    tenant = bare_tenant()
    (client,) = tenant["applications"]
    client["api"] |= {"acceptMappedClaims": None, "requestedAccessTokenVersion": 1}
    return tenant


def _allowed(env: EntraEnvironment) -> dict[str, object]:
    """Return what the client application allows now."""
    api = env.server.directory.kinds["applications"][CLIENT_APPLICATION_ID]["api"]
    assert isinstance(api, dict)
    return api


@pytest.mark.parametrize("tenant", [bare_tenant(), _unset_client()])
async def test_nothing_of_ours_is_left(tenant: dict[str, object]) -> None:
    """The tenant is as it was before, down to what the client application allowed."""
    async with entra(tenant) as env:
        before = env.tenant
        await env.apply()
        assert env.tenant != before
        await env.remove()
        assert env.tenant == before
        await env.remove()
        assert env.reported == []


async def test_the_listener_goes_first() -> None:
    """Sign-ins stop depending on the endpoint before anything else is touched; the app registration goes last."""
    async with entra(_unset_client()) as env:
        await env.apply()
        await env.remove()
        assert [what for _, what, _ in env.reported] == [
            "listener",
            "assignment",
            "mapped claims",
            "mapping policy",
            "extension",
            "app registration",
        ]


async def test_everything_of_others_stays() -> None:
    """Beside a tenant that is wired already, by hand and under other names, only ours comes and goes."""
    tenant = healthy_tenant()
    async with entra(tenant) as env:
        before = env.tenant
        await env.apply(PLAIN)
        await env.remove(PLAIN)
        assert shape(env.tenant, tenant) == shape(before, tenant)


async def test_one_application_is_removed() -> None:
    """Its listener, assignment and policy go; the endpoint's own objects stay for the next time."""
    async with entra(_unset_client()) as env:
        await env.apply(PLAIN)
        before = env.tenant
        await env.apply()
        await env.remove(clients=[NEWCOMER])
        assert env.reported == []
        await env.remove(clients=[CLIENT])
        assert env.tenant == before


async def test_sign_in_can_be_restored_without_the_app_registration() -> None:
    """Also in a tenant where somebody deleted half of it."""
    async with entra() as env:
        await env.apply()
        application = item(env, "applications")
        env.server.writer.delete("applications", application)
        await env.remove(clients=[CLIENT])
        assert env.tenant["authenticationEventListeners"] == []
        with pytest.raises(Conflict, match="its owner is not known: if it is yours, run remove --id"):
            await env.remove()


async def test_later_changes_of_the_application_are_kept() -> None:
    """What others changed later stays, and so does what another policy needs."""
    async with entra(_unset_client()) as env:
        await env.apply()
        _allowed(env)["requestedAccessTokenVersion"] = 1
        await env.remove()
        assert (_allowed(env)["acceptMappedClaims"], _allowed(env)["requestedAccessTokenVersion"]) == (None, 1)
    async with entra(_unset_client()) as env:
        await env.apply()
        ours = env.server.directory.policies[CLIENT_PRINCIPAL]
        foreign_policy(env)
        env.server.directory.policies[CLIENT_PRINCIPAL] += ours
        await env.remove()
        assert _allowed(env)["acceptMappedClaims"] is True
        assigned = env.server.directory.relations(CLIENT_PRINCIPAL)["claimsMappingPolicies"]
        assert [each["displayName"] for each in assigned] == ["Payroll"]


async def test_dependents_of_others_stop_it() -> None:
    """A listener or an extension of others that needs ours is named, and nothing is deleted."""
    async with entra() as env:
        await env.apply()
        made = item(env, "customAuthenticationExtensions")
        resource = made["authenticationConfiguration"]["resourceId"]
        second = extension(resource, "https://claims.sample.example/other", displayName="Second")
        env.server.writer.create("customAuthenticationExtensions", second)
        env.server.writer.create("authenticationEventListeners", listener(made["id"], displayName="Second"))
        before = env.tenant
        with pytest.raises(Conflict) as caught:
            await env.remove()
        assert len(caught.value.reasons) == 2
        assert env.tenant == before


async def test_similar_objects_stay() -> None:
    """An extension of our name for another app, and a listener of our name for it, belong to others."""
    tenant = healthy_tenant()
    tenant["customAuthenticationExtensions"][0]["displayName"] = PLAIN.display_name
    tenant["authenticationEventListeners"][0]["displayName"] = ENABLED.display_name
    async with entra(tenant) as env:
        await env.apply(replace(PLAIN, host="other.sample.example"), phases="AB")
        await env.remove(PLAIN)
        assert [what for _, what, _ in env.reported] == ["app registration"]
        assert len(env.tenant["customAuthenticationExtensions"]) == 1


async def test_named_objects_of_others_are_removed() -> None:
    """By id, after the listener that calls them; an unknown id is refused."""
    tenant = healthy_tenant()
    async with entra(tenant) as env:
        (theirs,) = env.tenant["authenticationEventListeners"]
        used = theirs["handler"]["customExtension"]["id"]
        with pytest.raises(Conflict, match="name it as well"):
            await named_removals(env.client, PLAIN, [used])
        with pytest.raises(Conflict, match="no listener, mapping policy or extension has the id"):
            await named_removals(env.client, PLAIN, [NEWCOMER])
        found = await named_removals(env.client, PLAIN, [used, theirs["id"]])
        await remove(env.client, found, env.report, env.times)
        assert [what for _, what, _ in env.reported] == ["listener", "extension"]
        assert len(env.tenant["claimsMappingPolicies"]) == 1


async def test_the_caller_stays() -> None:
    """Entra's own service principal is needed by every extension of the tenant, also when it was made by us."""
    tenant = bare_tenant()
    others = [each for each in tenant["servicePrincipals"] if each["appId"] != EVENT_SERVICE_APP_ID]
    async with entra(tenant | {"servicePrincipals": others}) as env:
        await env.apply(PLAIN)
        await env.remove(PLAIN)
        assert EVENT_SERVICE_APP_ID in [each["appId"] for each in env.tenant["servicePrincipals"]]


async def test_a_refused_delete_is_retried_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graph may not see at once that the listener has gone."""
    async with entra() as env:
        await env.apply()
        seen, true = list[EntraEnvironment](), rules.check_unused

        def late(*used: Any) -> None:
            seen.append(env)
            if len(seen) < 3:
                raise bad_request("used")
            true(*used)

        monkeypatch.setattr(rules, "check_unused", late)
        await env.remove()
        assert len(seen) == 3
        assert env.tenant["customAuthenticationExtensions"] == []

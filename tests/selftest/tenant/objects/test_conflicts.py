"""Objects of others stop the command before it writes anything, and the message says what to do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from selftest.tenant.graph.objects import GRAPH_APP_ID
from selftest.tenant.objects.errors import Conflict
from tests.emulated_graph.healthy_tenant import CLIENT_APPLICATION_ID
from tests.selftest.tenant.graph.wiring import extension, listener, policy
from tests.selftest.tenant.objects.entra_environment import (
    CLIENT,
    CLIENT_PRINCIPAL,
    ENABLED,
    PLAIN,
    EntraEnvironment,
    entra,
)

ALIEN = {"applications": {"includeApplications": [{"appId": CLIENT}]}}


def item(
    env: EntraEnvironment, collection: str, member: str = "displayName", value: str = "Claims endpoint (dev)"
) -> Any:
    """Find an object by a member."""
    return env.server.directory.lookup(collection, member, value)


def foreign_policy(env: EntraEnvironment) -> None:
    """Assign a policy that is not ours to the client."""
    made = env.server.writer.create("claimsMappingPolicies", policy(displayName="Payroll"))
    env.server.directory.policies[CLIENT_PRINCIPAL] = [made["id"]]


def _extension_of_another_app(env: EntraEnvironment) -> None:
    made = item(env, "customAuthenticationExtensions")
    made["authenticationConfiguration"]["resourceId"] = (
        "api://claims.sample.example/11111111-1111-4111-8111-111111111111"
    )


def _second_extension(env: EntraEnvironment) -> None:
    made = item(env, "customAuthenticationExtensions")
    resource = made["authenticationConfiguration"]["resourceId"]
    env.server.writer.create("customAuthenticationExtensions", extension(resource, displayName=made["displayName"]))


def _renamed_extension(env: EntraEnvironment) -> None:
    item(env, "customAuthenticationExtensions")["displayName"] = "Renamed"


def _foreign_listener(env: EntraEnvironment) -> None:
    made = item(env, "customAuthenticationExtensions")
    env.server.writer.create("authenticationEventListeners", listener(made["id"], displayName="Portal's"))


def _disabled_principal(env: EntraEnvironment) -> None:
    item(env, "servicePrincipals")["accountEnabled"] = False


def _disabled_graph(env: EntraEnvironment) -> None:
    item(env, "servicePrincipals", "appId", GRAPH_APP_ID)["accountEnabled"] = False


def _no_role(env: EntraEnvironment) -> None:
    item(env, "servicePrincipals", "appId", GRAPH_APP_ID)["appRoles"] = []


def _multi_tenant_client(env: EntraEnvironment) -> None:
    env.server.directory.kinds["applications"][CLIENT_APPLICATION_ID]["signInAudience"] = "AzureADMultipleOrgs"


def _no_client(env: EntraEnvironment) -> None:
    del env.server.directory.kinds["applications"][CLIENT_APPLICATION_ID]


def _no_client_principal(env: EntraEnvironment) -> None:
    del env.server.directory.kinds["servicePrincipals"][CLIENT_PRINCIPAL]


@pytest.mark.parametrize(
    ("alien", "says"),
    [
        (foreign_policy, "'Payroll' .*pass --replace-policy"),
        (_extension_of_another_app, "not for this app registration: rename it"),
        (_second_extension, "2 objects are the extension .*remove --id"),
        (_renamed_extension, "'Renamed' .* calls this endpoint already"),
        (_foreign_listener, '"Portal\'s" .* is for application .*remove --id'),
        (_disabled_principal, "is disabled, so Entra will not call .1003019."),
        (_disabled_graph, "Microsoft Graph .* is disabled"),
        (_no_role, "offers no app role 214e810f"),
        (_multi_tenant_client, "AzureADMultipleOrgs.*its own signing key"),
        (_no_client, "no app registration in this tenant has the client id"),
        (_no_client_principal, "Managed application in local directory"),
    ],
)
async def test_conflict(alien: Callable[[EntraEnvironment], None], says: str) -> None:
    """Nothing is written; exit code 1."""
    async with entra() as env:
        await env.apply(PLAIN)
        alien(env)
        before, writes = env.tenant, len(env.server.writes)
        with pytest.raises(Conflict, match=says) as caught:
            await env.apply()
        assert caught.value.exit_code == 1
        assert (env.tenant, len(env.server.writes)) == (before, writes)


async def test_another_policy_is_unassigned_only_if_allowed() -> None:
    """With the flag ours takes its place; the other one stays in the tenant, and is named."""
    async with entra() as env:
        foreign_policy(env)
        await env.apply(replace(ENABLED, replace_policy=True))
        names = [each["displayName"] for each in env.tenant["claimsMappingPolicies"]]
        assert sorted(names) == [ENABLED.name_for(CLIENT), "Payroll"]
        assert any("Payroll" in line and "can be assigned again" in line for line in env.lines)
        assigned = env.server.directory.relations(CLIENT_PRINCIPAL)["claimsMappingPolicies"]
        assert [each["displayName"] for each in assigned] == [ENABLED.name_for(CLIENT)]


async def test_two_listeners_of_one_name_conflict() -> None:
    """Neither is changed; the ids are named."""
    async with entra() as env:
        await env.apply()
        made = item(env, "customAuthenticationExtensions")
        twin = listener(made["id"], displayName=ENABLED.name_for(CLIENT))
        env.server.writer.create("authenticationEventListeners", twin)
        with pytest.raises(Conflict, match="2 objects are the listener"):
            await env.apply()


async def test_a_listener_of_a_deleted_extension_is_changed_to_the_new_one() -> None:
    """An extension that was deleted by hand leaves sign-ins broken (1003011); apply corrects both."""
    async with entra() as env:
        await env.apply()
        env.server.directory.kinds["customAuthenticationExtensions"].clear()
        await env.apply()
        done = [what for state, what, _ in env.reported if state in {"created", "changed"}]
        assert done == ["extension", "listener"]
        (made,) = env.tenant["authenticationEventListeners"]
        extension_id = env.tenant["customAuthenticationExtensions"][0]["id"]
        assert made["handler"]["customExtension"]["id"] == extension_id


async def test_every_conflict_is_named_at_once() -> None:
    """Resolving one does not reveal the next."""
    async with entra() as env:
        await env.apply(PLAIN)
        foreign_policy(env)
        _foreign_listener(env)
        _disabled_principal(env)
        with pytest.raises(Conflict) as caught:
            await env.apply()
        assert len(caught.value.reasons) == 3

"""What is somebody else's stops the program before it writes anything, and the message has a way on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from selftest.tenant.graph.objects import GRAPH_APP_ID
from selftest.tenant.objects.errors import Conflict
from tests.emulated_graph.healthy_tenant import CLIENT_APPLICATION_ID
from tests.selftest.tenant.graph.wiring import extension, listener, policy
from tests.selftest.tenant.objects.bench import CLIENT, CLIENT_PRINCIPAL, ENABLED, PLAIN, Desk, entra

ALIEN = {"applications": {"includeApplications": [{"appId": CLIENT}]}}


def item(desk: Desk, collection: str, member: str = "displayName", value: str = "Claims endpoint (dev)") -> Any:
    """Find an object by a member."""
    return desk.server.directory.lookup(collection, member, value)


def foreign_policy(desk: Desk) -> None:
    """Let the client have a policy that is not ours."""
    made = desk.server.writer.create("claimsMappingPolicies", policy(displayName="Payroll"))
    desk.server.directory.policies[CLIENT_PRINCIPAL] = [made["id"]]


def _extension_of_another_app(desk: Desk) -> None:
    made = item(desk, "customAuthenticationExtensions")
    made["authenticationConfiguration"]["resourceId"] = (
        "api://claims.sample.example/11111111-1111-4111-8111-111111111111"
    )


def _second_extension(desk: Desk) -> None:
    made = item(desk, "customAuthenticationExtensions")
    resource = made["authenticationConfiguration"]["resourceId"]
    desk.server.writer.create("customAuthenticationExtensions", extension(resource, displayName=made["displayName"]))


def _renamed_extension(desk: Desk) -> None:
    item(desk, "customAuthenticationExtensions")["displayName"] = "Renamed"


def _foreign_listener(desk: Desk) -> None:
    made = item(desk, "customAuthenticationExtensions")
    desk.server.writer.create("authenticationEventListeners", listener(made["id"], displayName="Portal's"))


def _disabled_principal(desk: Desk) -> None:
    item(desk, "servicePrincipals")["accountEnabled"] = False


def _disabled_graph(desk: Desk) -> None:
    item(desk, "servicePrincipals", "appId", GRAPH_APP_ID)["accountEnabled"] = False


def _no_role(desk: Desk) -> None:
    item(desk, "servicePrincipals", "appId", GRAPH_APP_ID)["appRoles"] = []


def _multi_tenant_client(desk: Desk) -> None:
    desk.server.directory.kinds["applications"][CLIENT_APPLICATION_ID]["signInAudience"] = "AzureADMultipleOrgs"


def _no_client(desk: Desk) -> None:
    del desk.server.directory.kinds["applications"][CLIENT_APPLICATION_ID]


def _no_client_principal(desk: Desk) -> None:
    del desk.server.directory.kinds["servicePrincipals"][CLIENT_PRINCIPAL]


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
async def test_it_stops_and_says_so(alien: Callable[[Desk], None], says: str) -> None:
    """Nothing is written, whatever else would have been to do; exit code 1."""
    async with entra() as desk:
        await desk.apply(PLAIN)
        alien(desk)
        before, writes = desk.tenant, len(desk.server.writes)
        with pytest.raises(Conflict, match=says) as caught:
            await desk.apply()
        assert caught.value.exit_code == 1
        assert (desk.tenant, len(desk.server.writes)) == (before, writes)


async def test_another_policy_is_taken_off_only_when_allowed() -> None:
    """With the word for it ours takes its place; the other one stays in the tenant, and is named."""
    async with entra() as desk:
        foreign_policy(desk)
        await desk.apply(replace(ENABLED, replace_policy=True))
        names = [each["displayName"] for each in desk.tenant["claimsMappingPolicies"]]
        assert sorted(names) == [ENABLED.name_for(CLIENT), "Payroll"]
        assert any("Payroll" in line and "can be assigned again" in line for line in desk.lines)
        assigned = desk.server.directory.relations(CLIENT_PRINCIPAL)["claimsMappingPolicies"]
        assert [each["displayName"] for each in assigned] == [ENABLED.name_for(CLIENT)]


async def test_two_listeners_of_one_name_are_not_told_apart() -> None:
    """Neither is changed; the ids are given."""
    async with entra() as desk:
        await desk.apply()
        made = item(desk, "customAuthenticationExtensions")
        twin = listener(made["id"], displayName=ENABLED.name_for(CLIENT))
        desk.server.writer.create("authenticationEventListeners", twin)
        with pytest.raises(Conflict, match="2 objects are the listener"):
            await desk.apply()


async def test_a_listener_that_calls_nothing_is_turned_to_the_new_extension() -> None:
    """An extension that was deleted by hand leaves sign-ins broken (1003011); apply puts both right."""
    async with entra() as desk:
        await desk.apply()
        desk.server.directory.kinds["customAuthenticationExtensions"].clear()
        await desk.apply()
        done = [what for state, what, _ in desk.reported if state in {"created", "changed"}]
        assert done == ["extension", "listener"]
        (made,) = desk.tenant["authenticationEventListeners"]
        extension_id = desk.tenant["customAuthenticationExtensions"][0]["id"]
        assert made["handler"]["customExtension"]["id"] == extension_id


async def test_every_conflict_is_named_at_once() -> None:
    """Who clears one up need not find the next one afterwards."""
    async with entra() as desk:
        await desk.apply(PLAIN)
        foreign_policy(desk)
        _foreign_listener(desk)
        _disabled_principal(desk)
        with pytest.raises(Conflict) as caught:
            await desk.apply()
        assert len(caught.value.reasons) == 3

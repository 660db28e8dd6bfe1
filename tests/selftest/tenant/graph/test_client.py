"""The client of Graph at the emulated Graph: what it reads and writes, and which addresses it refuses."""

from pathlib import Path

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.tenant.graph.client import GraphClient, literal
from selftest.tenant.graph.errors import (
    AnswerUnusable,
    GraphError,
    NotSignedIn,
    ObjectNotFound,
    OutcomeUnknown,
    PermissionMissing,
    RequestRefused,
    Unreachable,
)
from selftest.tenant.graph.unsigned_tokens import FixedCredential
from tests.claims.downstream.issuer import running_issuer
from tests.emulated_graph.faults import forbidden
from tests.emulated_graph.healthy_tenant import POLICY_ID, healthy_tenant
from tests.selftest.tenant.graph.connected_client import SimulatedTime, connected, simulated_client
from tests.selftest.tenant.graph.plain_requests import EXTENSIONS, LISTENERS, POLICIES
from tests.selftest.tenant.graph.wiring import policy

CLIENT = f"/servicePrincipals/{DEFAULT_TENANT.client.id}"
NEW = {"displayName": "x"}


async def test_reading() -> None:
    """One object, an object that may be missing, and a list of several pages, complete and with selected members."""
    tenant = healthy_tenant()
    async with connected(page_size=1) as env:
        (extension,) = await env.client.list_all(EXTENSIONS)
        assert extension == tenant["customAuthenticationExtensions"][0]
        names = await env.client.list_all("/servicePrincipals", select=["displayName"])
        assert names == [{"displayName": each["displayName"]} for each in tenant["servicePrincipals"]]
        principal = await env.client.get(CLIENT, select=["id"])
        assert {name for name in principal if not name.startswith("@")} == {"id"}
        assert await env.client.find("/applications/none") is None
        with pytest.raises(ObjectNotFound) as caught:
            await env.client.get("/applications/none")
        assert caught.value.request_id
        assert str(caught.value.request_id) in str(caught.value)
        found = await env.client.list_all(
            "/applications", query={"$filter": f"displayName eq {literal('Sample portal')}"}
        )
        assert len(found) == 1
        assert await env.client.list_all("/auditLogs/signIns", version="beta") == []
        assert env.credential.asked == 1


async def test_writing() -> None:
    """Create, change, assign, unassign and delete; a second deletion finds nothing."""
    async with connected() as env:
        client = env.client
        made = await client.upsert("/applications(uniqueName='new one')", NEW)
        assert made is not None
        assert (made["uniqueName"], made["displayName"]) == ("new one", "x")
        assert await client.upsert("/applications(uniqueName='new one')", {"displayName": "y"}) is None
        assert (await client.get(f"/applications/{made['id']}"))["displayName"] == "y"
        await client.update(f"/applications/{made['id']}", {"displayName": "z"})
        created = await client.create(POLICIES, policy())
        assert await client.delete(f"{CLIENT}/claimsMappingPolicies/{POLICY_ID}/$ref")
        await client.add_ref(f"{CLIENT}/claimsMappingPolicies/$ref", f"{POLICIES}/{created['id']}")
        assert [each["id"] for each in await client.list_all(f"{CLIENT}/claimsMappingPolicies")] == [created["id"]]
        assert [await client.delete(f"/applications/{made['id']}") for _ in range(2)] == [True, False]
        validation = f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}/validateAuthenticationConfiguration"
        said = await client.act(validation)
        assert (said["errors"], said["warnings"]) == ([], [])
        assert len(env.server.writes) == 7


async def test_a_permission_that_is_missing_is_named() -> None:
    """403 names the permission, for a person and for an application, or the missing directory role."""
    async with connected(frozenset({"Application.Read.All"})) as env:
        with pytest.raises(PermissionMissing) as caught:
            await env.client.list_all(EXTENSIONS)
        assert sorted(caught.value.wanted) == ["CustomAuthenticationExtension.Read.All"]
        assert not caught.value.held
        assert "Sign in with CustomAuthenticationExtension.Read.All" in str(caught.value)
        assert (await env.client.permissions()).granted == frozenset({"Application.Read.All"})
    async with connected(frozenset(), delegated=False) as env:
        with pytest.raises(PermissionMissing, match=r"Grant the application EventListener\.ReadWrite\.All"):
            await env.client.delete(f"{LISTENERS}/x")
    async with connected() as env:
        env.server.faults.add(forbidden())
        with pytest.raises(PermissionMissing, match=r"The token has .* may lack a directory role") as caught:
            await env.client.list_all(LISTENERS)
        assert caught.value.held


async def test_without_a_server() -> None:
    """Without a server there is no connection, and the message names the host."""
    async with simulated_client(FixedCredential(lambda: "x"), "http://127.0.0.1:9", SimulatedTime()) as client:
        for method in (client.get("/organization"), client.create("/applications", NEW)):
            with pytest.raises(Unreachable, match=r"no connection to 127\.0\.0\.1"):
                await method


async def test_an_untrusted_certificate(tmp_path: Path) -> None:
    """Inspected TLS is an error at once, also for a create; the token is not sent."""
    async with (
        running_issuer(tmp_path) as issuer,
        GraphClient(FixedCredential(lambda: "x"), base_url=issuer.https_url) as client,
    ):
        for method in (client.get("/organization"), client.create("/applications", NEW)):
            with pytest.raises(AnswerUnusable, match="certificate of 127"):
                await method
        assert issuer.asked == []
        assert issuer.asked == []


@pytest.mark.parametrize(
    "base_url",
    [
        "http://graph.microsoft.com",
        "graph.microsoft.com",
        "https://a@graph.microsoft.com",
        "https://x.example/v1.0",
        "ftp://127.0.0.1",
    ],
)
def test_addresses_that_are_refused(base_url: str) -> None:
    """Tokens are sent over TLS, or to this machine."""
    with pytest.raises(ValueError, match="address of Graph"):
        GraphClient(FixedCredential(lambda: "x"), base_url=base_url)


@pytest.mark.parametrize(
    "path", ["applications", "/applications/../users", "/applications//x", "/a?b", "/a#b", "/a%2fb", "/"]
)
async def test_paths_that_are_refused(path: str) -> None:
    """An invalid id cannot lead to another path."""
    async with connected() as env:
        with pytest.raises(ValueError, match="not a path of Graph"):
            await env.client.get(path)
        assert env.server.log == []


def test_every_failure_is_of_the_tree() -> None:
    """`GraphError` catches all of them."""
    leaves = {
        NotSignedIn,
        PermissionMissing,
        ObjectNotFound,
        RequestRefused,
        Unreachable,
        OutcomeUnknown,
        AnswerUnusable,
    }
    assert leaves == set(GraphError.__subclasses__())

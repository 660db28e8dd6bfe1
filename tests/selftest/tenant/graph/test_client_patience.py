"""What the client of Graph retries, what it never retries, and for how long."""

from types import SimpleNamespace

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.tenant.graph.errors import (
    NotSignedIn,
    ObjectNotFound,
    OutcomeUnknown,
    RequestRefused,
    Unreachable,
)
from selftest.tenant.graph.patience import Patience
from tests.emulated_graph.faults import GraphFault, garbage, refused, throttled
from tests.emulated_graph.healthy_tenant import API_APPLICATION_ID
from tests.selftest.tenant.graph.connected_client import connected
from tests.selftest.tenant.graph.plain_requests import EXTENSIONS, LISTENERS
from tests.selftest.tenant.graph.wiring import extension, listener

CLIENT = f"/servicePrincipals/{DEFAULT_TENANT.client.id}"
NEW = {"displayName": "x"}


async def test_retry_after_is_obeyed() -> None:
    """After 429 it waits as long as Graph says, in seconds or until a date, and retries, also a create."""
    async with connected() as env:
        env.server.faults.add(
            throttled(retry_after="7"),
            throttled(retry_after="Tue, 02 Oct 2096 07:06:57 GMT"),
            throttled(retry_after="soon"),
        )
        await env.client.create("/applications", NEW)
        assert env.time.slept_s == [7, 10, 2]
        assert len(env.server.writes) == 1


async def test_a_long_retry_after_is_not_waited_for() -> None:
    """An hour is longer than the limit, whatever the deadline, so the refusal is raised."""
    async with connected(patience=Patience(deadline_s=10_000)) as env:
        env.server.faults.add(throttled(retry_after="3600"))
        with pytest.raises(Unreachable) as caught:
            await env.client.get("/organization")
        assert (caught.value.retry_after_s, caught.value.status, env.time.slept_s) == (3600, 429, [])


async def test_temporary_failures_are_retried() -> None:
    """5xx and broken connections are retried with growing pauses, for reading and for repeatable writes."""
    async with connected() as env:
        env.server.faults.add(
            refused(500, "x"), refused(503, "x"), GraphFault(manner="cut", count=2), GraphFault(manner="lose")
        )
        await env.client.update(f"/applications/{API_APPLICATION_ID}", NEW)
        assert env.time.slept_s[:3] == [0.5, 1, 2]
        assert len(env.server.writes) == 2


async def test_it_ends() -> None:
    """At the deadline the last failure is raised; the pauses stay under their limit."""
    async with connected(patience=Patience(deadline_s=20, max_delay_s=4)) as env:
        env.server.faults.add(refused(503, "x", count=None))
        with pytest.raises(Unreachable, match="try again later"):
            await env.client.get("/applications/x")
        assert env.time.slept_s == [0.5, 1, 2, 4, 4, 4, 4]


@pytest.mark.parametrize(
    "fault",
    [
        GraphFault(manner="cut", method="POST"),
        GraphFault(manner="lose", method="POST"),
        refused(500, "x", method="POST"),
        refused(504, "x", method="POST"),
        GraphFault(manner="hang", method="POST"),
        garbage(),
    ],
)
async def test_a_create_is_not_repeated_blindly(fault: GraphFault) -> None:
    """If it may have been executed, the error says so, and the request is sent once."""
    async with connected(patience=Patience(attempt_s=0.05 if fault.manner == "hang" else 30)) as env:
        env.server.faults.add(fault)
        with pytest.raises(OutcomeUnknown, match="whether it was executed is not known"):
            await env.client.create("/applications", NEW)
        assert len(env.server.log) == 1
        assert len(env.server.writes) == (fault.manner == "lose")


async def test_a_create_is_repeated_when_it_was_not_done() -> None:
    """503 means that nothing was executed."""
    async with connected() as env:
        env.server.faults.add(refused(503, "x", method="POST"))
        await env.client.create("/applications", NEW)
        assert len(env.server.writes) == 1


async def test_replication_is_waited_for_only_on_request() -> None:
    """A new object is waited for where the caller says that it is new; elsewhere it is missing."""
    async with connected(lag_requests=2) as env:
        app = await env.client.create("/applications", NEW)
        principal = await env.client.create("/servicePrincipals", {"appId": app["appId"]}, replicating=True)
        roles = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
        assert await env.client.list_all(roles, replicating=True) == []
        assert env.time.slept_s == [0.5, 1, 0.5, 1]
        made = await env.client.create(EXTENSIONS, extension())
        await env.client.create(LISTENERS, listener(made["id"]), replicating=True)
        assert env.time.slept_s[4:] == [0.5, 1]
        other = await env.client.create("/applications", NEW)
        with pytest.raises(ObjectNotFound):
            await env.client.get(f"/applications/{other['id']}")
        with pytest.raises(RequestRefused, match="does not reference a valid application object"):
            await env.client.create("/servicePrincipals", {"appId": other["appId"]})


async def test_a_refusal_is_not_repeated() -> None:
    """A refusal does not change with time."""
    async with connected() as env:
        with pytest.raises(RequestRefused, match="'displayName'"):
            await env.client.create("/applications", {})
        assert (len(env.server.log), env.time.slept_s) == (1, [])


async def test_an_old_token_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token close to its end is not used; one that Graph refuses is not kept."""
    async with connected() as env:
        await env.client.get(f"/applications/{API_APPLICATION_ID}")
        monkeypatch.setattr("azure.core.pipeline.policies._authentication.time", SimpleNamespace(time=env.time))
        await env.client.get(f"/applications/{API_APPLICATION_ID}")
        assert env.credential.asked == 1
        env.time.now_s += 3500
        await env.client.get(f"/applications/{API_APPLICATION_ID}")
        assert env.credential.asked == 2
        env.server.faults.add(refused(401, "InvalidAuthenticationToken"))
        with pytest.raises(NotSignedIn):
            await env.client.get(f"/applications/{API_APPLICATION_ID}")
        await env.client.get(f"/applications/{API_APPLICATION_ID}")
        assert env.credential.asked == 3


async def test_a_claims_challenge_is_answered() -> None:
    """Where Entra's policies require more of a token, a new one is requested, and the request is sent again."""
    challenge = {"WWW-Authenticate": 'Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="'}
    async with connected() as env:
        env.server.faults.add(GraphFault(status=401, headers=challenge))
        await env.client.create("/applications", NEW)
        assert (env.credential.asked, len(env.server.writes), env.time.slept_s) == (2, 1, [])

"""The client of Graph, against the emulated Graph: what it reads and writes, what it repeats, what it never does."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from selftest.entra.tenant import DEFAULT_TENANT
from selftest.graph.access import FixedCredential
from selftest.graph.answer import MAX_ANSWER_BYTES
from selftest.graph.client import GraphClient, literal
from selftest.graph.errors import (
    AnswerUnusable,
    GraphError,
    NotSignedIn,
    ObjectNotFound,
    OutcomeUnknown,
    PermissionMissing,
    RequestRefused,
    Unreachable,
)
from selftest.graph.exchange import Patience, graph_session
from selftest.graph.faults import GraphFault, forbidden, garbage, refused, throttled
from selftest.graph.objects import API_APPLICATION_ID, POLICY_ID, healthy_tenant
from selftest.graph.server import ALL_PERMISSIONS, GraphServer
from tests.claims.downstream.issuer import running_issuer
from tests.selftest.graph.asking import EXTENSIONS, LISTENERS, POLICIES
from tests.selftest.graph.test_server_writes import extension, listener, policy

CLIENT = f"/servicePrincipals/{DEFAULT_TENANT.client.id}"
NEW = {"displayName": "x"}


class Time:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept_s.append(seconds)
        self.now_s += seconds


class Bench:
    """A client at a server, in a time of their own."""

    def __init__(self, server: GraphServer, client: GraphClient, time: Time, credential: FixedCredential) -> None:
        self.server = server
        self.client = client
        self.time = time
        self.credential = credential


@contextlib.asynccontextmanager
async def bench(
    permissions: frozenset[str] = ALL_PERMISSIONS,
    *,
    patience: Patience | None = None,
    delegated: bool = True,
    **options: Any,
) -> AsyncIterator[Bench]:
    """Give a client that is signed in."""
    time = Time()
    async with GraphServer(clock=time, **options) as server, graph_session(trust_env=False) as session:
        credential = server.credential(permissions, delegated=delegated)
        client = GraphClient(
            session,
            credential,
            base_url=server.url,
            patience=patience,
            clock=time,
            wall_clock=time,
            sleep=time.sleep,
            rng=lambda: 0.0,
        )
        yield Bench(server, client, time, credential)


@contextlib.asynccontextmanager
async def answering(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> AsyncIterator[GraphClient]:
    """Give a client of a server that always answers this."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    app, time = web.Application(), Time()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as server, graph_session(trust_env=False) as session:
        credential = FixedCredential(lambda: "secret-token")
        yield GraphClient(
            session,
            credential,
            base_url=str(server.make_url("")).rstrip("/"),
            clock=time,
            wall_clock=time,
            sleep=time.sleep,
            patience=Patience(deadline_s=1),
        )


async def test_reading() -> None:
    """One object, an object that may be missing, and a list of several pages, whole and cut to members."""
    tenant = healthy_tenant()
    async with bench(page_size=1) as desk:
        (extension,) = await desk.client.list_all(EXTENSIONS)
        assert extension == tenant["customAuthenticationExtensions"][0]
        names = await desk.client.list_all("/servicePrincipals", select=["displayName"])
        assert names == [{"displayName": each["displayName"]} for each in tenant["servicePrincipals"]]
        principal = await desk.client.get(CLIENT, select=["id"], expand=["claimsMappingPolicies"])
        assert [each["id"] for each in principal["claimsMappingPolicies"]] == [POLICY_ID]
        assert await desk.client.find("/applications/none") is None
        with pytest.raises(ObjectNotFound) as caught:
            await desk.client.get("/applications/none")
        assert caught.value.request_id
        assert str(caught.value.request_id) in str(caught.value)
        found = await desk.client.list_all(
            "/applications", query={"$filter": f"displayName eq {literal('Sample portal')}"}
        )
        assert len(found) == 1
        assert await desk.client.list_all("/auditLogs/signIns", version="beta") == []
        assert desk.credential.asked == 1


async def test_writing() -> None:
    """Make, change, assign, take away and delete; a second deletion finds nothing."""
    async with bench() as desk:
        client = desk.client
        made = await client.upsert("/applications(uniqueName='new one')", NEW)
        assert made is not None
        assert (made["uniqueName"], made["displayName"]) == ("new one", "x")
        assert await client.upsert("/applications(uniqueName='new one')", {"displayName": "y"}) is None
        assert (await client.get(f"/applications/{made['id']}"))["displayName"] == "y"
        await client.update(f"/applications/{made['id']}", {"displayName": "z"})
        created = await client.create(POLICIES, policy())
        assert await client.remove_ref(f"{CLIENT}/claimsMappingPolicies/{POLICY_ID}/$ref")
        await client.add_ref(f"{CLIENT}/claimsMappingPolicies/$ref", f"{POLICIES}/{created['id']}")
        assert [each["id"] for each in await client.list_all(f"{CLIENT}/claimsMappingPolicies")] == [created["id"]]
        assert [await client.delete(f"/applications/{made['id']}") for _ in range(2)] == [True, False]
        validation = f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}/validateAuthenticationConfiguration"
        said = await client.act(validation)
        assert (said["errors"], said["warnings"]) == ([], [])
        assert len(desk.server.writes) == 7


async def test_a_permission_that_is_missing_is_named() -> None:
    """403 says what to ask for, to a person and to an application; and tells it from a missing directory role."""
    async with bench(frozenset({"Application.Read.All"})) as desk:
        with pytest.raises(PermissionMissing) as caught:
            await desk.client.list_all(EXTENSIONS)
        assert sorted(caught.value.wanted) == ["CustomAuthenticationExtension.Read.All"]
        assert not caught.value.held
        assert "Sign in with CustomAuthenticationExtension.Read.All" in str(caught.value)
        assert (await desk.client.permissions()).granted == frozenset({"Application.Read.All"})
    async with bench(frozenset(), delegated=False) as desk:
        with pytest.raises(PermissionMissing, match=r"Grant the application EventListener\.ReadWrite\.All"):
            await desk.client.delete(f"{LISTENERS}/x")
    async with bench() as desk:
        desk.server.faults.add(forbidden())
        with pytest.raises(PermissionMissing, match=r"The token has .* may lack a directory role") as caught:
            await desk.client.list_all(LISTENERS)
        assert caught.value.held


async def test_retry_after_is_kept() -> None:
    """After 429 it waits as long as Graph says, in seconds or until a date, and does it again, also a create."""
    async with bench() as desk:
        desk.server.faults.add(
            throttled(retry_after="7"),
            throttled(retry_after="Fri, 15 Jan 2027 08:00:17 GMT"),
            throttled(retry_after="soon"),
        )
        await desk.client.create("/applications", NEW)
        assert desk.time.slept_s == [7, 10, 2]
        assert len(desk.server.writes) == 1


async def test_a_long_retry_after_is_not_waited_for() -> None:
    """An hour is longer than patience, whatever the deadline: it says so instead."""
    async with bench(patience=Patience(deadline_s=10_000)) as desk:
        desk.server.faults.add(throttled(retry_after="3600"))
        with pytest.raises(Unreachable) as caught:
            await desk.client.get("/organization")
        assert (caught.value.retry_after_s, caught.value.status, desk.time.slept_s) == (3600, 429, [])


async def test_what_passes_by_itself_is_repeated() -> None:
    """5xx and broken connections are tried again with growing pauses, for reading and for repeatable writes."""
    async with bench() as desk:
        desk.server.faults.add(
            refused(500, "x"), refused(503, "x"), GraphFault(manner="cut", count=2), GraphFault(manner="lose")
        )
        await desk.client.update(f"/applications/{API_APPLICATION_ID}", NEW)
        assert desk.time.slept_s[:3] == [0.5, 1, 2]
        assert len(desk.server.writes) == 2


async def test_it_ends() -> None:
    """At the deadline the last failure is raised; the pauses stay under their limit."""
    async with bench(patience=Patience(deadline_s=20, max_delay_s=4)) as desk:
        desk.server.faults.add(refused(503, "x", count=None))
        with pytest.raises(Unreachable, match="try again later"):
            await desk.client.get("/applications/x")
        assert desk.time.slept_s == [0.5, 1, 2, 4, 4, 4, 4]


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
    """When nobody knows whether it was made, that is what it says, and it is sent once."""
    async with bench(patience=Patience(attempt_s=0.05)) as desk:
        desk.server.faults.add(fault)
        with pytest.raises(OutcomeUnknown, match="whether it was done is not known"):
            await desk.client.create("/applications", NEW)
        assert len(desk.server.log) == 1
        assert len(desk.server.writes) == (fault.manner == "lose")


async def test_a_create_is_repeated_when_it_was_not_done() -> None:
    """503 says that nothing was done."""
    async with bench() as desk:
        desk.server.faults.add(refused(503, "x", method="POST"))
        await desk.client.create("/applications", NEW)
        assert len(desk.server.writes) == 1


async def test_replication_is_waited_for_only_on_request() -> None:
    """What was just made is waited for where the caller says that it was; elsewhere it is not there."""
    async with bench(lag_requests=2) as desk:
        app = await desk.client.create("/applications", NEW)
        principal = await desk.client.create("/servicePrincipals", {"appId": app["appId"]}, replicating=True)
        read = await desk.client.get(f"/servicePrincipals/{principal['id']}", replicating=True)
        assert read["appId"] == app["appId"]
        assert desk.time.slept_s == [0.5, 1, 0.5, 1]
        made = await desk.client.create(EXTENSIONS, extension())
        await desk.client.create(LISTENERS, listener(made["id"]), replicating=True)
        assert desk.time.slept_s[4:] == [0.5, 1]
        other = await desk.client.create("/applications", NEW)
        with pytest.raises(ObjectNotFound):
            await desk.client.get(f"/applications/{other['id']}")
        with pytest.raises(RequestRefused, match="does not reference a valid application object"):
            await desk.client.create("/servicePrincipals", {"appId": other["appId"]})


async def test_a_refusal_is_not_repeated() -> None:
    """A broken rule stays broken."""
    async with bench() as desk:
        with pytest.raises(RequestRefused, match="'displayName'"):
            await desk.client.create("/applications", {})
        assert (len(desk.server.log), desk.time.slept_s) == (1, [])


async def test_an_old_token_is_renewed() -> None:
    """A token close to its end is not used; one that Graph refuses is not kept."""
    async with bench() as desk:
        await desk.client.get(f"/applications/{API_APPLICATION_ID}")
        desk.time.now_s += 3301
        await desk.client.get(f"/applications/{API_APPLICATION_ID}")
        assert desk.credential.asked == 2
        desk.server.faults.add(refused(401, "InvalidAuthenticationToken"))
        with pytest.raises(NotSignedIn):
            await desk.client.get(f"/applications/{API_APPLICATION_ID}")
        await desk.client.get(f"/applications/{API_APPLICATION_ID}")
        assert desk.credential.asked == 3


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<h1>It works!</h1>", "no strict JSON"),
        (b"", "is empty"),
        (b"[]", "no JSON object"),
        (b'{"value":[],"value":[]}', "no strict JSON"),
        (b'{"value":[NaN]}', "no strict JSON"),
        (b'{"value":"\xff"}', "no strict JSON"),
        (b"[" * 100_000, "no strict JSON"),
        (b'{"value":{}}', "no list of objects"),
        (b'{"value":[1]}', "no list of objects"),
        (b'{"value":[],"@odata.nextLink":"https://evil.example/v1.0/applications"}', "leads to another host"),
        (b'{"value":[],"@odata.nextLink":"//evil.example/"}', "leads to another host"),
        (b'{"value":[],"@odata.nextLink":"/v1.0/applications"}', "leads to another host"),
        (b'{"value":[],"@odata.nextLink":"http://["}', "leads to another host"),
        (b'{"value":[],"@odata.nextLink":17}', "leads to another host"),
        (b'{"value":["' + b"x" * MAX_ANSWER_BYTES + b'"]}', "longer than"),
    ],
)
async def test_answers_that_are_not_graph_s(body: bytes, says: str) -> None:
    """No JSON, JSON of two meanings, no list, a link to elsewhere, and what does not end."""
    async with answering(body) as client:
        with pytest.raises(AnswerUnusable, match=says):
            await client.list_all("/applications")


async def test_redirects_are_not_followed() -> None:
    """A redirect would take the token along."""
    async with answering(b"", 302, {"Location": "http://127.0.0.1:9/"}) as client:
        with pytest.raises(AnswerUnusable, match="redirect"):
            await client.get("/organization")


async def test_a_list_that_goes_in_circles() -> None:
    """A link to the page itself, and a list that does not end."""

    async def handle(request: web.Request) -> web.Response:
        here = f"{request.url.origin()}{request.path}"
        number = int(request.query.get("n", "0")) + (0 if "circle" in request.path else 1)
        return web.json_response({"value": [], "@odata.nextLink": f"{here}?n={number}"})

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as server, graph_session(trust_env=False) as session:
        base_url = str(server.make_url("")).rstrip("/")
        client = GraphClient(session, FixedCredential(lambda: "x"), base_url=base_url)
        for path in ("/circle", "/endless"):
            with pytest.raises(AnswerUnusable, match="pages"):
                await client.list_all(path, max_pages=3)


async def test_errors_can_be_shown() -> None:
    """No token, no name of a user and no page of a server comes into a message; what is said has one line."""
    error = {"code": "x", "message": "The user jane.doe@contoso.example\nhas eyJhbGciOi.eyJzdWIi.c2ln " + "x" * 999}
    async with answering(json.dumps({"error": error}).encode(), 400) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.get("/organization")
        shown = f"{caught.value} {caught.value!r}"
        assert "The user (a name) has (a token)" in shown
        assert not {"jane", "eyJ", "secret-token", "\n"} & {
            word for word in ("jane", "eyJ", "secret-token", "\n") if word in shown
        }
        assert len(str(caught.value)) < 500
    async with answering(b"<html>jane@contoso.example</html>", 400) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.get("/organization")
        assert "jane" not in str(caught.value)


async def test_nobody_there() -> None:
    """Without a server there is no connection, and it says which host."""
    async with graph_session(trust_env=False) as session:
        time = Time()
        client = GraphClient(
            session, FixedCredential(lambda: "x"), base_url="http://127.0.0.1:9", clock=time, sleep=time.sleep
        )
        for method in (client.get("/organization"), client.create("/applications", NEW)):
            with pytest.raises(Unreachable, match=r"no connection to 127\.0\.0\.1"):
                await method


async def test_a_certificate_that_nobody_knows(tmp_path: Path) -> None:
    """TLS that is looked into is told at once; the token stays here."""
    async with running_issuer(tmp_path) as issuer, graph_session(trust_env=False) as session:
        client = GraphClient(session, FixedCredential(lambda: "x"), base_url=issuer.https_url)
        with pytest.raises(AnswerUnusable, match="certificate of 127"):
            await client.get("/organization")
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
async def test_addresses_that_are_refused(base_url: str) -> None:
    """Tokens go over TLS, or stay on this machine."""
    async with graph_session() as session:
        with pytest.raises(ValueError, match="address of Graph"):
            GraphClient(session, FixedCredential(lambda: "x"), base_url=base_url)


@pytest.mark.parametrize(
    "path", ["applications", "/applications/../users", "/applications//x", "/a?b", "/a#b", "/a%2fb", "/"]
)
async def test_paths_that_are_refused(path: str) -> None:
    """An id that is none cannot lead elsewhere."""
    async with bench() as desk:
        with pytest.raises(ValueError, match="no path of Graph"):
            await desk.client.get(path)
        assert desk.server.log == []


def test_every_failure_is_of_the_tree() -> None:
    """Who catches `GraphError` catches all."""
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

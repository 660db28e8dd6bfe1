"""The faults of the emulated Graph happen as planned, and are logged."""

import asyncio

import aiohttp
import pytest

from tests.emulated_graph.faults import GraphFault, forbidden, garbage, killed_after, refused, throttled
from tests.selftest.tenant.graph.plain_requests import EXTENSIONS, plain_client
from tests.selftest.tenant.graph.wiring import bare_tenant, wire_up

NEW = {"displayName": "x"}


async def test_new_objects_are_invisible_for_a_while() -> None:
    """A new object is not found, not listed and not known in a body, for the given number of requests."""
    async with plain_client(lag_requests=2) as graph:
        app = (await graph.ask("POST", "/applications", NEW)).body
        path = f"/applications/{app['id']}"
        assert [(await graph.ask("GET", path)).status for _ in range(3)] == [404, 404, 200]
        app = (await graph.ask("POST", "/applications", NEW)).body
        lists = [len((await graph.ask("GET", "/applications")).body["value"]) for _ in range(3)]
        assert lists == [3, 3, 4]
        app = (await graph.ask("POST", "/applications", NEW)).body
        replies = [await graph.ask("POST", "/servicePrincipals", {"appId": app["appId"]}) for _ in range(3)]
        assert [reply.status for reply in replies] == [400, 400, 201]
        assert replies[0].detail == "NoBackingApplicationObject"
        graph.server.directory.settle()
        assert (await graph.ask("GET", f"/servicePrincipals/{replies[2].body['id']}")).status == 200


async def test_a_unique_name_is_unique_at_once() -> None:
    """A second upsert finds the application that reads do not see yet."""
    async with plain_client(lag_requests=9) as graph:
        path, headers = "/applications(uniqueName='new')", {"Prefer": "create-if-missing"}
        assert [(await graph.ask("PATCH", path, NEW, headers=headers)).status for _ in range(2)] == [201, 204]
        assert (await graph.ask("GET", path)).status == 404


async def test_answers_that_are_errors() -> None:
    """A fault happens at its paths and methods, as often as it says, after the skipped requests."""
    async with plain_client() as graph:
        graph.server.faults.add(
            GraphFault(path="/applications", method="POST", skip=1, count=2, status=503),
            throttled("/identity", retry_after="7"),
            forbidden("/policies"),
            refused(500, "InternalServerError", path="/organization"),
        )
        posts = [(await graph.ask("POST", "/applications", NEW)).status for _ in range(4)]
        assert posts == [201, 503, 503, 201]
        limited = await graph.ask("GET", EXTENSIONS)
        assert (limited.status, limited.headers["Retry-After"], limited.code) == (429, "7", "TooManyRequests")
        assert (await graph.ask("GET", EXTENSIONS)).status == 200
        assert [(await graph.ask("GET", "/policies/claimsMappingPolicies")).status for _ in range(3)] == [403] * 3
        assert (await graph.ask("GET", "/organization")).code == "InternalServerError"
        graph.server.faults.clear()
        assert (await graph.ask("GET", "/policies/claimsMappingPolicies")).status == 200
        assert len(graph.server.writes) == 2


async def test_garbage() -> None:
    """A page of a proxy instead of an answer."""
    async with plain_client() as graph:
        graph.server.faults.add(garbage())
        with pytest.raises(aiohttp.ContentTypeError):
            await graph.ask("GET", "/applications")


async def test_hang() -> None:
    """No answer, until the server stops."""
    async with plain_client() as graph:
        graph.server.faults.add(GraphFault(manner="hang"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(graph.ask("GET", "/applications"), 0.05)


async def test_a_cut_connection_does_nothing_and_a_lost_answer_does() -> None:
    """The client cannot distinguish them; the tenant can."""
    async with plain_client() as graph:
        for manner, count in (("cut", 2), ("lose", 3)):
            graph.server.faults.add(GraphFault(manner="cut" if manner == "cut" else "lose", method="POST"))
            with pytest.raises(aiohttp.ClientConnectionError):
                await graph.ask("POST", "/applications", NEW)
            assert len((await graph.ask("GET", "/applications")).body["value"]) == count
        assert [(each.status, each.done) for each in graph.server.log if each.method == "POST"] == [
            (None, False),
            (None, True),
        ]


@pytest.mark.parametrize("step", range(11))
async def test_killed_at_every_step(step: int) -> None:
    """From one request on the server stops answering: only earlier requests were executed."""
    async with plain_client(bare_tenant()) as graph:
        graph.server.faults.add(killed_after(step))
        with pytest.raises(aiohttp.ClientConnectionError):
            await wire_up(graph)
        validated = step > 6
        assert len(graph.server.writes) == step - validated


async def test_the_log_keeps_no_token() -> None:
    """The log can be printed."""
    async with plain_client() as graph:
        await graph.ask("GET", "/applications?$select=id")
        (request,) = graph.server.log
        assert (request.method, request.path, request.query) == ("GET", "/v1.0/applications", {"$select": "id"})
        assert graph.server.token().split(".")[1] not in repr(request)

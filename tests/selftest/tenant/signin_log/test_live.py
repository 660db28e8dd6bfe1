"""Sign-ins from the emulated Graph: what is asked for, page after page, and what is said when it refuses."""

import argparse
import datetime as dt
import json
from typing import Any

import pytest

from selftest.base.program import PROGRAM
from selftest.cli import main, parser
from selftest.commands import signin_log as command
from selftest.tenant.graph.connection import open_graph
from selftest.tenant.graph.errors import GraphError, NotSignedIn, PermissionMissing
from selftest.tenant.signin_log.event import read_events
from selftest.tenant.signin_log.fields import Fields
from selftest.tenant.signin_log.live import PERMISSION, read_live
from selftest.tenant.signin_log.report_forms import as_json
from selftest.tenant.signin_log.tables import LogRow
from tests.emulated_graph.faults import forbidden, garbage, throttled
from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.signin_log.exports import MARK, THREE, callout, correlation_id, signin

TENANT = "11111111-1111-4111-8111-111111111111"
NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
OTHER = "0d0d0d0d-0000-4000-8000-00000000000d"


def server(*more: dict[str, Any]) -> GraphServer:
    """Give a Graph with three sign-ins of somebody and one that renewed a token, two a page."""
    renewal = signin(4, callout(code=1003006), isInteractive=False, signInEventTypes=["nonInteractiveUser"])
    rows = [{"signInEventTypes": ["interactiveUser"], "isInteractive": True, **row} for row in THREE]
    known = ("id", "createdDateTime", "correlationId", "appId", "appDisplayName", "status", "userId")
    kept = {*known, "appliedEventListeners", "isInteractive", "signInEventTypes"}
    signins = [{name: value for name, value in row.items() if name in kept} for row in (*rows, renewal, *more)]
    return GraphServer(healthy_tenant() | {"signIns": signins}, page_size=2)


async def codes(graph: GraphServer, **filters: str) -> list[int]:
    """Read the codes of the last day's events."""
    async with open_graph(
        {}, credential=None, tenant_id=TENANT, base_url=graph.url, permissions=(PERMISSION,)
    ) as client:
        table = await read_live(client, since=NOW - dt.timedelta(days=1), **filters)
    return sorted((event.code or 0) for event in read_events(table.rows, "Graph").events)


async def test_both_lists_are_read_page_after_page() -> None:
    """Interactive sign-ins and silent renewals count, and only what is judged is asked for."""
    old = signin(5, callout(code=1003009), createdDateTime="2026-11-01T00:00:00Z", isInteractive=True)
    async with server(old) as graph:
        assert await codes(graph) == [0, 1003002, 1003005, 1003006]
        asked = [request.query for request in graph.log]

    assert len(asked) > 2
    assert all("user" not in query["$select"].lower() and "ip" not in query["$select"].lower() for query in asked)
    assert any("nonInteractiveUser" in query["$filter"] for query in asked)


async def test_graph_filters_where_it_can() -> None:
    """One sign-in or one application does not need the whole day."""
    async with server(signin(6, callout(code=1003007), appId=OTHER, isInteractive=True)) as graph:
        assert await codes(graph, correlation_id=correlation_id(2)) == [1003005]
        assert await codes(graph, app_id=OTHER) == [1003007]


async def test_permission_that_is_missing_is_named() -> None:
    """A refusal says which permission to ask for; a proxy's page says that it is none of Graph's."""
    async with server() as graph:
        graph.faults.add(forbidden("/auditLogs"))
        with pytest.raises(PermissionMissing, match=r"AuditLog\.Read\.All"):
            await codes(graph)
    async with server() as graph:
        graph.faults.add(garbage("/auditLogs"))
        with pytest.raises(GraphError):
            await codes(graph)


async def test_busy_graph_is_waited_for() -> None:
    """429 with Retry-After costs time and no sign-in."""
    async with server() as graph:
        graph.faults.add(throttled("/auditLogs", retry_after="0"))
        assert len(await codes(graph)) == 4


async def test_way_to_sign_in_that_lacks_its_settings() -> None:
    """Before anything is asked, what is missing in the environment is named."""
    with pytest.raises(NotSignedIn, match="AZURE_CLIENT_SECRET"):
        async with open_graph(
            {}, credential="client-secret", tenant_id=TENANT, base_url=None, permissions=(PERMISSION,)
        ):
            pass


def arguments(url: str, *words: str) -> argparse.Namespace:
    """Parse a command line against this Graph."""
    return parser().parse_args(["signin-log", "--tenant", TENANT, "--graph-url", url, *words])


async def test_command_reads_graph_and_names_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way from Graph to the report."""
    async with server() as graph:
        args = arguments(graph.url, "--json")
        table = await command._from_graph(args, NOW)
    log = read_events(table.rows, "Microsoft Graph")
    report = command._report(args, log, None, now=NOW, more=False)
    command._print(report)

    assert MARK not in capsys.readouterr().out
    assert MARK not in json.dumps(as_json(report))
    assert (report.result, len(report.events)) == ("FAIL", 4)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (signin(7, status={"errorCode": 1100001}), "Graph has no event with the reason"),
        (signin(7, {"errorCode": None}), "Graph has the event and does not say how it ended"),
    ],
)
def test_what_graph_does_not_have_is_not_sought_there(row: dict[str, Any], says: str) -> None:
    """The way out of an export without events is Graph; of Graph without events it is the configuration."""
    log = read_events((LogRow("sign-in 1", Fields(row)),), "Microsoft Graph")
    report = command._report(arguments("https://graph.microsoft.com"), log, None, now=NOW, more=False)
    printed = as_json(report)

    assert says in printed["events"][0]["means"]
    assert printed["next"] == f"{PROGRAM} doctor --tenant {TENANT} --credential browser"


@pytest.mark.parametrize("url", ["http://graph.example", "graph.microsoft.com", "https://graph.microsoft.com/v1.0"])
def test_address_that_is_no_graph_is_exit_code_2(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A token never goes to plain http on another machine."""
    assert main(["signin-log", "--tenant", TENANT, "--graph-url", url]) == 2
    assert capsys.readouterr().err.startswith("signin-log: the address of Graph")

"""docs/real-tenant.md: its commands against the emulated Graph, and its settings in the endpoint's own reader."""

import re
from pathlib import Path
from string import Template

import pytest

from claims.provider_module import configure
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.tenant.objects import actions
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.wiring import bare_tenant
from tests.selftest.tenant.objects.entra_environment import CLIENT, compare_with_the_description
from tests.selftest.tenant.objects.test_command import run
from tests.selftest.tenant.objects.test_runbook import arguments, commands

PAGE = Path(__file__).parents[4] / "docs" / "real-tenant.md"
HOST = "abc123-7071.euw.devtunnels.ms"
NEXT = "def456-7071.euw.devtunnels.ms"
NAMES = {"TUNNEL_HOST": HOST, "NEXT_TUNNEL_HOST": NEXT, "TENANT": DEFAULT_TENANT.tenant_id, "APP": CLIENT}


def _called(server: GraphServer) -> list[tuple[str, str]]:
    """Return each extension's target and the resource that it names."""
    return [
        (each["endpointConfiguration"]["targetUrl"], each["authenticationConfiguration"]["resourceId"])
        for each in server.directory.export()["customAuthenticationExtensions"]
    ]


async def test_there_and_back(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The tunnel's host is in identifier URI and target, the endpoint starts, and the tenant ends as it began."""
    asked: list[str] = []

    async def healthy(url: str) -> None:
        asked.append(url)

    monkeypatch.setattr(actions, "require_health", healthy)
    async with GraphServer(bare_tenant()) as server:
        before, seen = server.directory.export(), []
        for command in commands(PAGE):
            capsys.readouterr()
            assert await run(server, *arguments(command.line, NAMES), environ={}) == 0, command.line
            printed = capsys.readouterr().out
            assert command.missing(printed) is None, printed
            seen.append(_called(server))
            if "--phase B" in command.line:
                found = re.search(r"azd env set ENTRA_API_APP_ID (\S+) -e laptop", printed)
                assert found is not None
                app_id = found[1]
                _the_endpoint_takes(app_id)
        assert server.directory.export() == before
        compare_with_the_description(server)
    path = "/api/onTokenIssuanceStart"
    first, second = ([(f"https://{host}{path}", f"api://{host}/{app_id}")] for host in (HOST, NEXT))
    assert seen == [[], first, second, []]
    assert asked == [f"https://{HOST}/api/health"]


def _the_endpoint_takes(app_id: str) -> None:
    """Read the page's settings as the endpoint does at its start."""
    lines = re.findall(r"^export ((?:AuthenticationEvents|Claims)__\w+)=(\S+)$", PAGE.read_text(), re.MULTILINE)
    environ = {name: Template(value).substitute(NAMES | {"API_APP_ID": app_id}) for name, value in lines}
    settings = configure(environ)[0]
    assert (settings.tenant_id, settings.audience_app_id) == (DEFAULT_TENANT.tenant_id, app_id)

"""The commands of docs/runbook.md are run as they are written, in their order, against the emulated Graph."""

import asyncio
import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template

import pytest

from selftest.cli import parser
from selftest.tenant.objects import actions
from tests.emulated_graph.healthy_tenant import DEFAULT_HOST
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.wiring import bare_tenant
from tests.selftest.tenant.objects.entra_environment import CLIENT, compare_with_the_description, shape
from tests.selftest.tenant.objects.test_command import run
from tests.starter.transcript import Command, steps

PAGE = Path(__file__).parents[4] / "docs" / "runbook.md"
ENVIRON = {"AZURE_ENV_NAME": "prod", "ENDPOINT_HOST": DEFAULT_HOST}
NAMES = {"APP": CLIENT, "CANARY_HOST": f"canary-{DEFAULT_HOST}"}


def commands(page: Path = PAGE) -> list[Command]:
    """Return the commands that a page shows, with what they print."""
    return [step for step in steps(page.read_text()) if isinstance(step, Command)]


def arguments(line: str, names: Mapping[str, str] = NAMES) -> list[str]:
    """Return the arguments of ``objects`` as a shell would."""
    words = shlex.split(Template(line).substitute(names))
    assert words[:4] == ["python", "-m", "selftest", "objects"], line
    return words[4:]


async def test_the_page_is_followed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """From a failing sign-in to the state before, with what each command prints; the endpoint's health is asked for."""
    asked: list[str] = []

    async def healthy(url: str) -> None:
        await asyncio.sleep(0)
        asked.append(url)

    async with GraphServer(bare_tenant()) as server:
        assert await run(server, "apply", "--enable", CLIENT, "--no-health-check", environ=ENVIRON) == 0
        monkeypatch.setattr(actions, "require_health", healthy)
        before = server.directory.export()
        for command in commands():
            capsys.readouterr()
            assert await run(server, *arguments(command.line), environ={"AZURE_ENV_NAME": "prod"}) == 0, command.line
            printed = capsys.readouterr().out
            assert command.missing(printed) is None, printed
            if " disable " in command.line:
                assert server.directory.export()["authenticationEventListeners"] == []
        canary = {"AZURE_ENV_NAME": "canary"}
        assert await run(server, "remove", "--yes", environ=canary) == 0
        assert shape(server.directory.export()) == shape(before)
        compare_with_the_description(server)
    assert asked == [f"https://{NAMES['CANARY_HOST']}/api/health", f"https://{DEFAULT_HOST}/api/health"]


def test_it_is_one_page() -> None:
    """It fits on a sheet, disables before it explains, and names only flags that exist."""
    lines = PAGE.read_text().splitlines()
    assert len(lines) <= 100
    kinds = [arguments(command.line)[0] for command in commands()]
    assert kinds == ["status", "disable", "apply", "remove", "enable", "status"]
    for command in commands():
        parser().parse_args(["objects", *arguments(command.line)])

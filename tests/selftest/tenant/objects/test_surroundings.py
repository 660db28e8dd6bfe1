"""azd's environment, the endpoint's health, and a person at the terminal."""

import os
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from selftest.base.cannot_run import CannotRun
from selftest.tenant.objects import azd_environment
from selftest.tenant.objects.actions import ask
from selftest.tenant.objects.endpoint_health import require_health


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    directory = tmp_path / ".azure" / "dev"
    directory.mkdir(parents=True)
    (directory / ".env").write_text(
        '# azd\nENDPOINT_HOST="a.example.com"\nTEXT="a \\"b\\" \\\\c"\n\nPLAIN=x=y\nODD="\n'
    )
    return tmp_path


def test_the_environment_of_azd_is_read(project: Path) -> None:
    """As azd writes it; an environment that azd does not know is empty."""
    values = azd_environment.read_environment("dev", project)
    assert values == {"ENDPOINT_HOST": "a.example.com", "TEXT": 'a "b" \\c', "PLAIN": "x=y", "ODD": '"'}
    assert azd_environment.read_environment("prod", project) == {}


def test_another_file_is_refused(project: Path) -> None:
    """The message has the line's number without its text, which may be a secret."""
    (project / ".azure" / "dev" / ".env").write_text("hunter2\n")
    with pytest.raises(CannotRun, match=r"line 1: expected NAME") as caught:
        azd_environment.read_environment("dev", project)
    assert "hunter2" not in str(caught.value)
    (project / ".azure" / "dev" / ".env").write_bytes(b"\xff")
    with pytest.raises(CannotRun, match="not UTF-8"):
        azd_environment.read_environment("dev", project)


@pytest.mark.parametrize(("ends_with", "says"), [(0, ""), (3, "azd exited with 3"), (None, "azd is not installed")])
def test_the_app_id_is_set_in_azd(
    ends_with: int | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By azd's command; where it is missing or fails, the message shows the command."""
    monkeypatch.setenv("PATH", str(tmp_path))
    if ends_with is not None:
        program = tmp_path / "azd"
        program.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/arguments\nexit {ends_with}\n')
        program.chmod(0o755)
    if says:
        with pytest.raises(CannotRun, match=f"{says}.*azd env set ENTRA_API_APP_ID 7 -e dev"):
            azd_environment.set_app_id("dev", "7")
    else:
        azd_environment.set_app_id("dev", "7")
        assert (tmp_path / "arguments").read_text() == "env set ENTRA_API_APP_ID 7 -e dev\n"


@pytest.mark.parametrize(
    ("status", "says"), [(200, ""), (503, "answers 503"), (302, "answers 302"), (None, "not answer")]
)
async def test_health(status: int | None, says: str) -> None:
    """Only 200 is healthy; a redirect leads to another page."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status or 200, headers={"Location": "/api/elsewhere"})

    app = web.Application()
    app.router.add_get("/api/health", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        url = str(server.make_url("/api/health"))
        if status is None:
            await server.close()
        if says:
            with pytest.raises(CannotRun, match=says):
                await require_health(url)
        else:
            await require_health(url)


@pytest.mark.parametrize(("typed", "answer"), [(b"y\n", "y"), (b"", ""), (b"\xff\n", "\ufffd")])
async def test_a_person_answers(
    typed: bytes, answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The typed text; the end of the input is no yes."""
    here, there = os.pipe()
    os.write(there, typed)
    os.close(there)
    with os.fdopen(here) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        assert await ask("Do this? ") == answer
    assert capsys.readouterr().out == "Do this? "

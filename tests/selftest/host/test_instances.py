"""Several instances behind one address: which one answers, what becomes of one that ends, and how they start.

What several instances of the endpoint know of each other is the subject of checks
(`tests.selftest.checks.test_instance_checks`).
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from aiohttp import web

from selftest.base.app_folder import AppFolder
from selftest.base.cannot_run import CannotRun
from selftest.base.serve import serve
from selftest.host import instances as instances_module
from selftest.host.instances import Instances
from tests.selftest.command_process import command_process

#: Three processes start at once: two processors are busy with that.
pytestmark = pytest.mark.nightly

PYTHON: Final = Path(sys.executable)
#: Says which process answers, at once or after a second, and is ready some time after it listens.
PID_APP: Final = """
import asyncio, os, time
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
began_s = time.monotonic()
@app.route(route="pid")
async def pid(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(float(req.params.get("after_s", 0)))
    return func.HttpResponse(str(os.getpid()))
@app.route(route="health")
def health(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=200 if time.monotonic() > began_s + 1 else 503)
"""


@pytest.fixture
def app(tmp_path: Path) -> AppFolder:
    """Return the app."""
    (tmp_path / "function_app.py").write_text(PID_APP)
    return AppFolder.at(tmp_path, PYTHON)


async def _answer(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    # As Entra calls. A GET would be repeated by the client itself when its connection breaks.
    async with session.post(url) as response:
        return response.status, await response.text()


async def test_instances_answer_in_turn_and_break_with_their_calls(app: AppFolder) -> None:
    """A call under way in an instance that is killed is a broken connection, after which Entra calls again."""
    async with aiohttp.ClientSession() as session, Instances(app, 3, dict(os.environ)) as instances:
        calls = [asyncio.create_task(_answer(session, f"{instances.url}/api/pid?after_s=1")) for _ in range(3)]
        await asyncio.sleep(0.5)
        pids = {**instances.pids}
        await instances.replace(1, signal.SIGKILL)
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(one, aiohttp.ServerDisconnectedError) for one in found) == 1, found
        assert len({*found}) == 3
        assert instances.pids[1] != pids[1]
        assert (instances.pids[2], instances.pids[3]) == (pids[2], pids[3])
        for pid in instances.pids.values():
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.2)
        assert (await _answer(session, instances.url))[0] == 503


async def test_an_instance_gets_no_calls_before_it_is_ready(
    app: AppFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where it says when that is; one that never is did not start, and a quiet one says nothing itself."""
    async with aiohttp.ClientSession() as session:
        ready = Instances(app, 1, dict(os.environ), ready_path="/api/health", quiet=True)
        async with ready:
            assert (await _answer(session, f"{ready.url}/api/health"))[0] == 200
    monkeypatch.setattr(instances_module, "_START_TIMEOUT_S", 2)
    with pytest.raises(CannotRun, match=r"instance 1 did not start; `.+ host` shows why"):
        async with Instances(app, 1, dict(os.environ), ready_path="/api/never", quiet=True):
            pass
    assert capfd.readouterr().err == ""


async def test_what_cannot_start_is_told(tmp_path: Path) -> None:
    """An app that does not start, and a port in use."""
    (tmp_path / "function_app.py").write_text("raise RuntimeError")
    with pytest.raises(CannotRun, match="did not start; its own message is above"):
        async with Instances(AppFolder.at(tmp_path, PYTHON), 2, dict(os.environ)):
            pass
    (tmp_path / "function_app.py").write_text(PID_APP)
    runner, port = await serve(web.Application(), 0)
    with pytest.raises(CannotRun, match="cannot be used: choose another with --port"):
        async with Instances(AppFolder.at(tmp_path, PYTHON), 2, dict(os.environ), port=port):
            pass
    await runner.cleanup()


async def test_the_command_serves_several(tmp_path: Path) -> None:
    """``host --instances 2`` prints its address when all are ready, and ends cleanly."""
    (tmp_path / "function_app.py").write_text(PID_APP)
    words = ("host", "--port", "0", "--instances", "2", "--app", str(tmp_path), "--app-python", sys.executable)
    async with command_process(*words) as process:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        url = line.removeprefix("listening on ").strip()
        async with aiohttp.ClientSession() as session:
            answers = []
            for _ in range(4):
                async with session.get(f"{url}/api/pid") as response:
                    answers.append(await response.text())
        assert answers[:2] == answers[2:]
        assert len(set(answers)) == 2
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0

"""Several instances behind one address: retries on another one, one killed, all restarted, and the shared cache.

Each sign-in is called as Entra calls, by way of `selftest.play.caller`; one that is not minted is lost.
"""

import asyncio
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from selftest.base.app_folder import AppFolder, app_environment
from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.base.serve import serve
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.host.instances import Instances
from selftest.judge.verdict import judge
from selftest.play.caller import Caller, caller_session
from selftest.play.target import endpoint_settings
from tests.checkout import ROOT
from tests.claims.shared_cache.real_redis import free_port, needs_redis, running_redis
from tests.selftest.command_process import command_process

#: Three processes start at once, and each answer has to leave in its budget: two processors are busy with that.
pytestmark = pytest.mark.nightly

#: A longer outage for `make stress`.
OUTAGE_S: Final = float(os.environ.get("STRESS_DURATION_S", "5"))
#: No multiple of the number of instances: each round meets every user on another one.
USERS: Final = 13
#: Says which process answers.
PID_APP: Final = """
import azure.functions as func, os
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
@app.route(route="pid")
def pid(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(os.getpid()))
"""
APP: Final = AppFolder.at(ROOT, Path(sys.executable))


class Fleet:
    """Three instances, their data source, and Entra.

    Attributes:
        instances: Behind one address.
        delay_s: How long the data source takes.
        down: Whether it answers 503.
    """

    def __init__(self, entra: EntraServer, caller: Caller) -> None:
        self.instances: Instances
        self.delay_s = 0.0
        self.down = False
        self._entra = entra
        self._caller = caller

    async def answer(self, request: web.Request) -> web.Response:
        """Answer as a profile API."""
        await asyncio.sleep(self.delay_s)
        return web.json_response({"department": request.match_info["user"]}, status=503 if self.down else 200)

    def event(self, user: int) -> dict[str, Any]:
        """Return the event of a new sign-in of a user."""
        event = VARIETIES[0].build(self._entra.tenant, str(uuid.uuid4()))
        event["data"]["authenticationContext"]["user"]["id"] = f"77777777-7777-4777-8777-{user + 1:012}"
        return event

    async def minted(self, event: dict[str, Any]) -> bool:
        """Whether Entra would issue the token."""
        url, token = self.instances.url + CALLOUT_PATH, self._entra.mint.callout_token()
        return judge((await self._caller.call(url, token=token, event=event)).reply).minted

    async def lost(self, users: range) -> int:
        """Sign all of them in, in turn; return how many sign-ins failed."""
        return sum([not await self.minted(self.event(user)) for user in users])

    async def replaced(self, number: int, pid: int) -> None:
        """Wait until another process serves as this instance."""
        async with asyncio.timeout(30):
            while self.instances.pids.get(number, pid) == pid:  # noqa: ASYNC110 (a process sets no event)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def _fleet(*, cache_port: int = 0, on_failure: str = "stale") -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        entra = await stack.enter_async_context(EntraServer())
        fleet = Fleet(entra, Caller(await stack.enter_async_context(caller_session())))
        source = web.Application()
        source.router.add_get("/users/{user}", fleet.answer)
        runner, port = await serve(source, 0)
        stack.push_async_callback(runner.cleanup)
        environment = {
            **app_environment(),
            **endpoint_settings(entra),
            "Claims__Provider": "profile_api",
            "Claims__ProfileApi__Url": f"http://127.0.0.1:{port}/users",
            "Claims__OnFailure": on_failure,
            **({"Claims__SharedCache": f"redis://127.0.0.1:{cache_port}"} if cache_port else {}),
        }
        fleet.instances = await stack.enter_async_context(Instances(APP, 3, environment))
        assert await fleet.lost(range(100, 106)) == 0  # each instance is warm
        yield fleet


async def _outage(fleet: Fleet) -> int:
    """Let known users sign in while the source is down, one instance is killed and all are restarted."""
    assert await fleet.lost(range(USERS)) == 0
    await asyncio.sleep(0.3)
    fleet.down = True
    lost, end_s = await fleet.lost(range(USERS)), time.monotonic() + OUTAGE_S
    pid = fleet.instances.pids[2]
    os.kill(pid, signal.SIGKILL)
    while time.monotonic() < end_s:
        lost += await fleet.lost(range(USERS))
    await fleet.replaced(2, pid)
    for number, old in [*fleet.instances.pids.items()]:
        os.kill(old, signal.SIGTERM)
        await fleet.replaced(number, old)
        lost += await fleet.lost(range(USERS))
    return lost


@needs_redis
async def test_an_outage_costs_no_known_user_a_sign_in() -> None:
    """With the shared cache: whichever instance is asked, and however young it is."""
    async with running_redis(port := free_port()), _fleet(cache_port=port) as fleet:
        assert await _outage(fleet) == 0
        assert await fleet.lost(range(USERS, USERS + 2)) == 2  # of users whom nobody knows


async def test_an_outage_costs_sign_ins_without_the_cache() -> None:
    """Each instance knows a third of the users, and a new one none."""
    async with _fleet() as fleet:
        assert await _outage(fleet) > USERS


@needs_redis
async def test_a_stopped_cache_costs_what_it_gave_and_no_more() -> None:
    """Good sign-ins go on in time, and each instance still knows the users that it served."""
    async with _fleet_with_cache() as (redis, fleet):
        assert await fleet.lost(range(USERS)) == 0
        redis.kill()
        await redis.wait()
        assert await fleet.lost(range(USERS)) == 0
        fleet.down = True
        assert await fleet.lost(range(USERS)) == USERS  # the third instance has met none of them
        assert await fleet.lost(range(USERS)) == 0


@asynccontextmanager
async def _fleet_with_cache() -> AsyncIterator[tuple[asyncio.subprocess.Process, Fleet]]:
    async with running_redis(port := free_port()) as redis, _fleet(cache_port=port) as fleet:
        yield redis, fleet


@pytest.mark.parametrize("cached", [False, pytest.param(True, marks=needs_redis)])
async def test_a_slow_source_and_retries_on_another_instance(*, cached: bool) -> None:
    """A constant 2.5 s: what the first instance finds too late, the second delivery gets elsewhere, with the cache."""
    async with AsyncExitStack() as stack:
        if cached:
            await stack.enter_async_context(running_redis(port := free_port()))
        fleet = await stack.enter_async_context(_fleet(cache_port=port if cached else 0))
        fleet.delay_s = 2.5
        events = [fleet.event(user) for user in range(3 * USERS + 1)]

        async def deliver_twice(event: dict[str, Any]) -> tuple[bool, bool]:
            first = asyncio.create_task(fleet.minted(event))
            await asyncio.sleep(2)  # Entra's timeout, when the answer of the first attempt is lost
            return await first, await fleet.minted(event)

        # One after the other begins, so that the front's turn gives the two deliveries to two instances.
        deliveries = []
        for event in events:
            deliveries.append(asyncio.create_task(deliver_twice(event)))
            await asyncio.sleep(0.01)
        results = await asyncio.gather(*deliveries)
        assert not any(first for first, _ in results)
        minted = [second for _, second in results]
        assert all(minted) if cached else not all(minted)
        if cached:  # and from then on at once
            assert await fleet.lost(range(3)) == 0


async def test_instances_answer_in_turn_and_break_with_their_calls() -> None:
    """A call under way in an instance that is killed is a broken connection, after which Entra calls again."""
    async with _fleet(on_failure="fail") as fleet:
        fleet.delay_s = 1.0
        calls = [asyncio.create_task(fleet.minted(fleet.event(user))) for user in range(3)]
        await asyncio.sleep(0.5)
        pid = fleet.instances.pids[1]
        os.kill(pid, signal.SIGKILL)
        assert await asyncio.gather(*calls) == [True, True, True]
        await fleet.replaced(1, pid)
        for pid in fleet.instances.pids.values():
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.2)
        async with aiohttp.ClientSession() as session, session.get(fleet.instances.url) as response:
            assert response.status == 503


async def test_what_cannot_start_is_told(tmp_path: Path) -> None:
    """An app that does not start, and a port in use."""
    (tmp_path / "function_app.py").write_text("raise RuntimeError")
    with pytest.raises(CannotRun, match="did not start; its own message is above"):
        async with Instances(AppFolder.at(tmp_path, APP.python), 2, dict(os.environ)):
            pass
    (tmp_path / "function_app.py").write_text(PID_APP)
    runner, port = await serve(web.Application(), 0)
    with pytest.raises(CannotRun, match="cannot be used: choose another with --port"):
        async with Instances(AppFolder.at(tmp_path, APP.python), 2, dict(os.environ), port=port):
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

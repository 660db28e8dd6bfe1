"""On Microsoft's host, the app's own lines say why sign-ins fail: the rest is not there."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from selftest.checks.bench.probe import send
from selftest.downstream.faults import FAULTS
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer
from tests.functions_host.hosted_endpoint import HostedEndpoint, hosted_endpoint
from tests.functions_host.microsoft_host import needs_microsoft_host, slow

#: The reason is what counts here, whatever a busy machine does to the time.
_WAIT_MS: Final = 15_000

pytestmark = [needs_microsoft_host, slow]


def _keys_down(entra: EntraServer, _: DownstreamServer) -> None:
    entra.outage = True


def _keys_hang(entra: EntraServer, _: DownstreamServer) -> None:
    entra.delay_s = 30.0


async def _line(hosted: HostedEndpoint, outcome: str) -> dict[str, Any]:
    text = await hosted.host.wait_for_line(lambda line: f'"outcome":"{outcome}"' in line)
    line: dict[str, Any] = json.loads(text)
    return line


@pytest.mark.parametrize(("prepare", "reason"), [(_keys_down, "FetchError: status 503"), (_keys_hang, "TimeoutError")])
async def test_keys(prepare: Any, reason: str, tmp_path: Path) -> None:
    """The sign-in's line and health's line name why there are no keys."""
    async with hosted_endpoint(tmp_path, prepare=prepare) as hosted:
        answer = await send(hosted.env.session, hosted.env.good_request(), timeout_ms=_WAIT_MS)
        assert answer.status == 503
        assert reason in (await _line(hosted, "keys_not_loaded"))["detail"]
        async with hosted.env.session.get(hosted.env.health_url) as health:
            assert health.status == 503
        line = json.loads(await hosted.host.wait_for_line(lambda line: '"event":"health"' in line))
        assert reason in line["detail"]


@pytest.mark.parametrize("first", ["refused", "health"])
async def test_setting_that_warns(first: str, tmp_path: Path) -> None:
    """The first invocation's line has the warning, whatever it answers."""
    settings = {"Claims__AdditionalCallerAppIds": "33333333-3333-4333-8333-333333333333"}
    async with hosted_endpoint(tmp_path, settings=settings) as hosted:
        if first == "refused":
            await send(hosted.env.session, hosted.env.request(), timeout_ms=_WAIT_MS)
        else:
            async with hosted.env.session.get(hosted.env.health_url):
                pass
        text = await hosted.host.wait_for_line(lambda line: '"settings_warnings"' in line)
        assert "more callers" in json.loads(text)["settings_warnings"][0]


async def test_downstream_that_gives_no_tokens(tmp_path: Path) -> None:
    """The sign-in's line names what the identity answered."""
    async with hosted_endpoint(tmp_path, fault=FAULTS["identity-garbage"]) as hosted:
        answer = await send(hosted.env.session, hosted.env.good_request(), timeout_ms=_WAIT_MS)
        assert answer.status == 503
        line = json.loads(await hosted.host.wait_for_line(lambda line: '"outcome":"downstream_token' in line))
        assert "managed-identity" in line["detail"]


async def test_what_an_import_logs_is_not_there(tmp_path: Path) -> None:
    """The reason for all this: a line at import, and one in a task, never reach the host's log."""

    def edit(text: str) -> str:
        return text + (
            "\nimport asyncio, logging\nlogging.getLogger('claims').warning('said at import')\n"
            "async def _later():\n    logging.getLogger('claims').warning('said in a task')\n"
            "_task = asyncio.get_event_loop().create_task(_later())\n"
        )

    async with hosted_endpoint(tmp_path, edit=edit) as hosted:
        await send(hosted.env.session, hosted.env.good_request(), timeout_ms=_WAIT_MS)
        await _line(hosted, "claims")
        assert not any("said " in line for line in hosted.host.log)


async def test_a_sign_in_is_one_line(tmp_path: Path) -> None:
    """host.json keeps the endpoint's line and leaves out what the host says itself of each call."""
    async with hosted_endpoint(tmp_path, trace=False) as hosted:
        for _ in range(3):
            await send(hosted.env.session, hosted.env.good_request(), timeout_ms=_WAIT_MS)
        await _line(hosted, "claims")
        written = [line for line in hosted.host.log if line.startswith("info: Function.")]
        assert set(written) == {"info: Function.on_token_issuance_start.User[0]"}


@pytest.mark.parametrize("asked", [False, True])
async def test_workers_own_lines(*, asked: bool, tmp_path: Path) -> None:
    """The host gets the app's line of each call, and the worker's too if PYTHON_ENABLE_DEBUG_LOGGING asks for them."""
    settings = {"PYTHON_ENABLE_DEBUG_LOGGING": "1"} if asked else {}
    async with hosted_endpoint(tmp_path, settings=settings) as hosted:
        answer = await send(hosted.env.session, hosted.env.good_request(), timeout_ms=_WAIT_MS)
        assert answer.status == 200
        await _line(hosted, "claims")
        assert any("Received FunctionInvocationRequest" in line for line in hosted.host.log) is asked

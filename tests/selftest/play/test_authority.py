"""The authority of a command: keys that last, an `entra` that already runs, https, and a slow endpoint."""

import argparse
import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from selftest.base.bounded_file import FileError
from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import local_tenant
from selftest.base.serve import listen_tls, serve, start_runner
from selftest.entra.certificates import LocalAuthority
from selftest.entra.key_store import KEYS_FILE, KeyStore
from selftest.entra.lease import lending
from selftest.entra.server import EntraServer
from selftest.entra.state_folder import state_folder
from selftest.play.target import add_target_arguments, open_target
from tests.selftest.scripted_server import scripted_server

AUDIENCE = "abcdefab-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the state of each test apart; the keys at its start are those of the test run, which take long to make."""
    KeyStore.open()
    keys = state_folder() / KEYS_FILE
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    state_folder().mkdir(parents=True)
    shutil.copy(keys, state_folder())


def _parse(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_target_arguments(parser)
    return parser.parse_args(argv)


async def _kids(url: str) -> list[str]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/discovery/keys") as response:
        return [entry["kid"] for entry in (await response.json())["keys"]]


async def test_two_runs_against_an_endpoint_have_the_same_keys() -> None:
    """The tenant's key and the spare one; --new-keys makes others."""
    argv = ("--url", "http://127.0.0.1:9/", "--authority-port", "0")
    kids: list[list[str]] = []
    for more in ((), (), ("--new-keys",)):
        async with open_target(_parse(*argv, *more)) as target:
            kids.append(await _kids(target.entra.authority_url))
    assert kids[0] == kids[1]
    assert len(kids[0]) == 2
    assert not set(kids[0]) & set(kids[2])


async def test_requests_for_keys_are_recorded_for_the_next_run() -> None:
    """What the endpoint asked in one run is known in the next."""
    argv = ("--url", "http://127.0.0.1:9/", "--authority-port", "0")
    async with open_target(_parse(*argv)) as target:
        authority_url = target.entra.authority_url
        assert target.fetches.read_age_s(authority_url) is None
        await _kids(authority_url)
    async with open_target(_parse(*argv)) as target:
        assert target.fetches.read_age_s(authority_url) is not None


async def test_an_entra_that_runs_is_used() -> None:
    """Its port, its tenant and its scheme, which the endpoint is configured for; afterwards it goes on."""
    tls = LocalAuthority.open().server_context()
    tenant = local_tenant(audience_app_id=AUDIENCE)
    async with EntraServer(tenant, tls=tls) as runs, lending(runs, give_up=lambda: None, say=lambda _: None):
        args = _parse("--url", "http://127.0.0.1:9/", "--authority-port", str(runs.port))
        async with open_target(args) as target:
            assert target.entra.authority_url == runs.authority_url
            assert target.entra.authority_url.startswith("https:")
            assert target.tenant.audience_app_id == AUDIENCE


async def test_https_needs_an_entra_with_https() -> None:
    """The endpoint was configured for the one that runs."""
    async with EntraServer() as runs, lending(runs, give_up=lambda: None, say=lambda _: None):
        args = _parse("--url", "http://127.0.0.1:9/", "--authority-port", str(runs.port), "--https")
        with pytest.raises(CannotRun, match="start it with --https"):
            async with open_target(args):
                pytest.fail("opened")


async def test_https_says_how_to_trust_it(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with the file."""
    args = _parse("--url", "http://127.0.0.1:9/", "--authority-port", "0", "--https")
    async with open_target(args) as target:
        assert target.entra.authority_url.startswith("https://127.0.0.1:")
    assert f"SSL_CERT_FILE={LocalAuthority.open().path}" in capsys.readouterr().err


@asynccontextmanager
async def _secure_endpoint() -> AsyncIterator[str]:
    """Serve an endpoint over https with a certificate that no system trusts."""

    async def ok(_: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", ok)
    runner = await start_runner(app)
    server = await listen_tls(runner, 0, LocalAuthority.open().server_context())
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    server.close()
    await runner.cleanup()
    server.abort_clients()


async def test_an_untrusted_certificate_is_named_and_can_be_trusted() -> None:
    """It is no other failure of the connection, and --ca-file is the way on."""
    async with _secure_endpoint() as url:
        argv = ("--url", url, "--authority-port", "0")
        async with open_target(_parse(*argv)) as target:
            call = await target.caller.call(url, token="t", event=b"{}")
            assert call.attempts[-1].failure == "connection"
            assert "the endpoint's certificate is not trusted" in call.attempts[-1].detail
            assert "--ca-file" in call.attempts[-1].detail
        async with open_target(_parse(*argv, "--ca-file", str(LocalAuthority.open().path))) as target:
            call = await target.caller.call(url, token="t", event=b"{}")
            assert call.reply.status == 200


@pytest.mark.parametrize(("text", "error"), [("x", CannotRun), (None, FileError)])
async def test_a_ca_file_that_is_none(tmp_path: Path, text: str | None, error: type[Exception]) -> None:
    """The message names the file."""
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    args = _parse("--url", "https://127.0.0.1:9/", "--authority-port", "0", "--ca-file", str(path))
    with pytest.raises(error, match=str(path)):
        async with open_target(args):
            pytest.fail("opened")


async def test_a_slow_endpoint_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any answer ends the wait: what it says is judged later."""
    monkeypatch.setattr("selftest.play.target._ANSWER_POLL_S", 0.01)
    async with scripted_server([]) as taken:
        url = taken.url
    asked: list[str] = []

    async def unavailable(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=503)

    async def start_late() -> web.AppRunner:
        await asyncio.sleep(0.3)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", unavailable)
        runner, _ = await serve(app, int(url.split(":")[2].split("/")[0]))
        return runner

    starting = asyncio.create_task(start_late())
    async with open_target(_parse("--url", url, "--authority-port", "0", "--wait", "60s")):
        assert len(asked) == 1
    await (await starting).cleanup()


async def test_the_wait_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that never answers is called all the same, and the failure is told then."""
    monkeypatch.setattr("selftest.play.target._ANSWER_POLL_S", 0.01)
    async with (
        asyncio.timeout(20),
        open_target(_parse("--url", "http://127.0.0.1:9/", "--authority-port", "0", "--wait", "1")) as target,
    ):
        assert target.app is None

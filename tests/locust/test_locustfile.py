"""The locustfile, run by Locust: requests, counts and exit codes."""

import asyncio
import json
import re
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.play.target import endpoint_settings
from tests.checkout import ROOT
from tests.locust.endpoints import GOOD, BreakConnection, endpoint, good, silent
from tests.locust.runs import end_of, locust, needs_locust, start
from tests.selftest.scripted_server import raw, scripted_server

#: Most of a run is the time between two requests; Locust keeps its rate only where no other test takes the processors.
pytestmark = [needs_locust, pytest.mark.waits]


def _credentials(entra: EntraServer, token_url: str | None = None) -> dict[str, str]:
    return {
        "ENTRA_TOKEN_URL": token_url or f"{entra.authority_url}/oauth2/v2.0/token",
        "ENTRA_CLIENT_ID": entra.tenant.client.app_id,
        "ENTRA_CLIENT_SECRET": entra.tenant.client_secret,
        "ENTRA_SCOPE": f"{entra.tenant.application_id_uri}/.default",
    }


async def test_this_app_mints_every_token(tmp_path: Path) -> None:
    """Against the real app: a token by client credentials, accepted events, exit code 0, and no secret anywhere."""
    async with EntraServer() as entra:
        settings = {**endpoint_settings(entra), "Claims__AdditionalCallerAppIds": entra.tenant.client.app_id}
        async with AppProcess(settings, app_dir=ROOT) as app:
            arguments = ("--host", app.url, "--rate", "25", "--run-time", "2s")
            run = await locust(tmp_path, *arguments, environ=_credentials(entra))
        assert run.exit_code == 0, run.output
        assert run.rows["sign-in"].requests > 20
        assert run.rows["sign-in"].failures == run.rows["callout"].failures == 0
        assert "retry" not in run.rows
        assert run.verdict.startswith("PASS  0 of ")
        assert "eyJ" not in run.output + run.page, "no token"
        assert entra.tenant.client_secret not in run.output + run.page
        assert entra.hits["token"] == 1


async def test_what_is_sent_is_what_entra_sends(tmp_path: Path) -> None:
    """Seven kinds of sign-in, each event once, with the chosen ids, the documented headers, over few connections."""
    tenant_id, extension_id = "aaaaaaaa-1111-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-1111-4bbb-8bbb-bbbbbbbbbbbb"
    async with endpoint(good) as seen:
        arguments = ("--rate", "50", "--run-time", "2s", "--tenant", tenant_id, "--extension", extension_id)
        run = await locust(tmp_path, "--host", seen.url, *arguments)
    assert run.exit_code == 0, run.output
    assert set(seen.callouts.values()) == {1}
    assert len(seen.callouts) == run.rows["callout"].requests
    events = [json.loads(body) for body in seen.bodies.values()]
    contexts = [event["data"]["authenticationContext"] for event in events]
    assert len({(c["user"]["id"], c["protocol"], c["resourceServicePrincipal"]["id"]) for c in contexts}) == 7
    assert {event["data"]["tenantId"] for event in events} == {tenant_id}
    assert {event["source"].split("/")[2] for event in events} == {tenant_id}
    assert {event["data"]["customAuthenticationExtensionId"] for event in events} == {extension_id}
    assert set(seen.headers) == {"Host", "Authorization", "Content-Type", "Content-Length"}
    assert seen.headers["Authorization"] == "Bearer not-a-token"
    assert len(seen.connections) < len(seen.callouts) / 5


async def test_slow_endpoint_loses_sign_ins(tmp_path: Path) -> None:
    """No answer in the budget, nor at the retry: every one is counted, with Entra's code, and the exit code is 1."""
    async with endpoint(silent) as seen:
        arguments = ("--rate", "20", "--budget-ms", "200", "--run-time", "1s")
        run = await locust(tmp_path, "--host", seen.url, *arguments)
    assert run.exit_code == 1, run.output
    lost = run.rows["sign-in"]
    assert lost.failures == lost.requests == run.rows["callout"].failures == run.rows["retry"].failures > 3
    assert set(run.codes) == {("callout", "1003005"), ("retry", "1003005"), ("sign-in", "1003005")}
    assert set(seen.callouts.values()) == {2}, "no retry is dropped at the end"
    assert run.verdict.startswith(f"FAIL  {lost.requests} of {lost.requests} sign-ins lost")


async def test_retry_saves_the_sign_in(tmp_path: Path) -> None:
    """A late or broken first callout loses no sign-in if the retry is answered."""

    async def second_time_lucky(signin: int, callout: int) -> web.Response:
        if callout == 2:
            return await good(signin, callout)
        if signin % 2:
            return await silent(signin, callout)
        raise BreakConnection

    async with endpoint(second_time_lucky) as seen:
        arguments = ("--rate", "20", "--budget-ms", "500", "--run-time", "1s")
        run = await locust(tmp_path, "--host", seen.url, *arguments)
    assert run.exit_code == 0, run.output
    assert run.rows["sign-in"].failures == run.rows["retry"].failures == 0
    assert run.rows["callout"].failures == run.rows["callout"].requests == run.rows["retry"].requests
    assert set(run.codes) == {("callout", "1003005"), ("callout", "1003027")}


@pytest.mark.nightly
async def test_without_retry_the_first_callout_decides(tmp_path: Path) -> None:
    """``--retries 0``, as the extension may be set, and a share of misses that is allowed."""

    async def every_fifth_is_silent(signin: int, callout: int) -> web.Response:
        return await (silent if signin % 5 == 2 else good)(signin, callout)

    async with endpoint(every_fifth_is_silent) as seen:
        arguments = ("--rate", "50", "--budget-ms", "400", "--retries", "0", "--run-time", "1s")
        run = await locust(tmp_path, "--host", seen.url, *arguments, "--max-missed-percent", "60")
    assert run.exit_code == 0, run.output
    assert run.rows["sign-in"].failures == run.codes["callout", "1003005"] > 1
    assert set(seen.callouts.values()) == {1}


async def test_wrong_answers_carry_their_codes(tmp_path: Path) -> None:
    """A timely response without a token is a miss, is counted by its code, and is not retried."""
    empty = GOOD.replace('[{"', '[], "x": [{"')
    wrong = {
        "1003002": web.Response(status=503, text=GOOD, content_type="application/json"),
        "1003003": web.Response(text="<html>", content_type="application/json"),
        "1003006": web.Response(text=GOOD, content_type="text/plain"),
        "1003009": web.Response(text="", content_type="application/json"),
        "1003010": web.Response(text=empty, content_type="application/json"),
    }

    async def each_in_turn(signin: int, _callout: int) -> web.Response:
        template = list(wrong.values())[signin % len(wrong)]
        return web.Response(status=template.status, text=template.text, content_type=template.content_type)

    async with endpoint(each_in_turn) as seen:
        run = await locust(tmp_path, "--host", seen.url, "--rate", "40", "--run-time", "1s")
    assert run.exit_code == 1, run.output
    assert {code for name, code in run.codes if name == "callout"} == set(wrong)
    assert set(seen.callouts.values()) == {1}
    assert sum(count for (name, _), count in run.codes.items() if name == "sign-in") == len(seen.callouts)


async def test_answer_that_breaks_off_is_no_answer(tmp_path: Path) -> None:
    """An incomplete response is a miss that is not retried."""
    half = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{GOOD}"
    async with scripted_server([raw(half.encode())]) as seen:
        run = await locust(tmp_path, "--host", seen.url, "--rate", "20", "--run-time", "1s")
    assert run.exit_code == 1, run.output
    assert set(run.codes) == {("callout", "1003001"), ("sign-in", "1003001")}
    assert len(seen.requests) == run.rows["callout"].requests > 5


async def test_stall_is_not_hidden(tmp_path: Path) -> None:
    """Open loop: a stall of one second affects every sign-in that is due during it."""
    began_s: list[float] = []
    met: list[int] = []

    async def stalls_once(signin: int, callout: int) -> web.Response:
        now_s = time.perf_counter()
        if signin >= 20 and not began_s:
            began_s.append(now_s)
        if began_s and now_s < began_s[0] + 1:
            met.append(signin)
            await asyncio.sleep(began_s[0] + 1 - now_s)
        return await good(signin, callout)

    async with endpoint(stalls_once) as seen:
        arguments = ("--rate", "20", "--budget-ms", "400", "--retries", "0", "--run-time", "3s")
        run = await locust(tmp_path, "--host", seen.url, *arguments)
    assert len(met) >= 12, "what was due in the stall was sent in it"
    # Due in the first 0.6 s of the stall, 20 a second: 12, and the waking of a busy machine.
    assert 8 <= run.rows["callout"].failures <= 20, run.output
    assert run.exit_code == 1


async def test_master_sums_up_two_workers(tmp_path: Path) -> None:
    """The rate is the master's, for both workers; its table and verdict count all sign-ins and late starts."""

    async def every_fifth_fails(signin: int, callout: int) -> web.Response:
        return web.Response(status=500) if signin % 5 == 0 else await good(signin, callout)

    port = _free_port()
    async with endpoint(every_fifth_fails) as seen:
        address = ("--master-host", "127.0.0.1", "--master-port", port)
        workers = [await start("--worker", *address, environ={"ENTRA_TOKEN": f"token-{name}"}) for name in "ab"]
        master = ("--master", "--expect-workers", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
        arguments = (
            "--host",
            seen.url,
            "--rate",
            "20",
            "--budget-ms",
            "500",
            "--run-time",
            "3s",
            "--max-lateness-ms",
            "0",
        )
        run = await locust(tmp_path, *master, *arguments, environ={}, generous=False)
        ends = await asyncio.gather(*(end_of(worker) for worker in workers))
    assert run.exit_code == 3, run.output
    assert f"{len(seen.callouts)} sent more than 0 ms late" in run.verdict
    assert [code for code, _ in ends] == [0, 0], "the master judges"
    assert run.rows["sign-in"].requests == len(seen.callouts) > 20
    assert run.rows["sign-in"].failures == len(seen.callouts) // 5
    assert set(seen.tokens) == {"Bearer token-a", "Bearer token-b"}
    assert min(seen.tokens.values()) > 5
    assert not any("token-" in output for _, output in [*ends, (0, run.output)])


async def test_token_is_refreshed_in_the_background(tmp_path: Path) -> None:
    """A token is refreshed in time; if that fails, the old one is used, and no sign-in waits."""
    async with _short_lived_tokens() as (token_url, fetches), EntraServer() as entra, endpoint(good) as seen:
        run = await locust(
            *(tmp_path, "--host", seen.url, "--rate", "20", "--run-time", "3s"),
            environ=_credentials(entra, token_url),
        )
    assert run.exit_code == 0, run.output
    assert list(seen.tokens) == ["Bearer token-number-1", "Bearer token-number-2"]
    assert len(fetches) == 3
    assert "no token from the token endpoint (500)" in run.output
    assert "token-number" not in run.output + run.page


@pytest.mark.nightly
async def test_late_generator_proves_nothing() -> None:
    """A generator that was stopped reports its lateness, and not a slow endpoint: exit code 3."""
    begun = asyncio.Event()

    async def tells(signin: int, callout: int) -> web.Response:
        begun.set()
        return await good(signin, callout)

    async with endpoint(tells) as seen:
        arguments = ("--headless", "--only-summary", "--host", seen.url, "--rate", "20", "--run-time", "2s")
        process = await start(*arguments, environ={"ENTRA_TOKEN": "not-a-token"})
        await begun.wait()
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGCONT)
        exit_code, output = await end_of(process)
    assert exit_code == 3, output
    late = re.search(r"INCONCLUSIVE .* (\d+) sent more than 25 ms late: lower --rate or add workers", output)
    assert late is not None, output
    assert int(late[1]) >= 4, "ten were due in that half second"


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        ((), {"ENTRA_TOKEN": "x"}, ["--host"]),
        (("--host", "http://claims.example"), {"ENTRA_TOKEN": "x"}, ["--host"]),
        (
            ("--host", "https://claims.example", "--rate", "51", "--budget-ms", "2001", "--retries", "2"),
            {"ENTRA_TOKEN": "x"},
            ["--rate", "--yes", "--budget-ms", "--retries"],
        ),
        (("--host", "http://127.0.0.1:9"), {}, ["ENTRA_TOKEN", "ENTRA_CLIENT_SECRET"]),
        (
            ("--host", "http://127.0.0.1:9"),
            {
                "ENTRA_TOKEN_URL": "http://127.0.0.1:9/token",
                "ENTRA_CLIENT_ID": "id",
                "ENTRA_CLIENT_SECRET": "hush",
                "ENTRA_SCOPE": "s",
            },
            ["no token from the token endpoint"],
        ),
    ],
    ids=["no host", "http elsewhere", "every option at once", "no token", "no token endpoint"],
)
async def test_what_cannot_run_says_why(
    arguments: tuple[str, ...], environ: dict[str, str], said: list[str], tmp_path: Path
) -> None:
    """Exit code 2 before anything is sent, with a reason and without a traceback or a secret."""
    run = await locust(tmp_path, "--run-time", "1s", *arguments, environ=environ)
    assert run.exit_code == 2, run.output
    assert all(text in run.output for text in said)
    assert "Traceback" not in run.output
    assert "hush" not in run.output


@pytest.mark.nightly
async def test_certificate_is_verified(tmp_path: Path) -> None:
    """The token is sent only to a host with a valid certificate."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    arguments = ("--rate", "20", "--budget-ms", "1000", "--run-time", "1s")
    async with endpoint(good, tls=server) as seen:
        strangers = await locust(tmp_path, "--host", seen.url, *arguments)
        assert not seen.callouts
        trust = {"ENTRA_TOKEN": "x", "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        friends = await locust(tmp_path, "--host", seen.url, *arguments, environ=trust)
    assert strangers.exit_code == 1
    assert set(strangers.codes) == {(name, "1003027") for name in ("callout", "retry", "sign-in")}
    assert friends.exit_code == 0, friends.output
    assert len(seen.callouts) == friends.rows["sign-in"].requests > 5


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@asynccontextmanager
async def _short_lived_tokens() -> AsyncIterator[tuple[str, list[int]]]:
    """Serve two tokens that live for one second, then fail."""
    fetches: list[int] = []

    async def handle(_: web.Request) -> web.Response:
        fetches.append(1)
        if len(fetches) > 2:
            return web.Response(status=500, text="token-number-3")
        return web.json_response({"access_token": f"token-number-{len(fetches)}", "expires_in": 1})

    app = web.Application()
    app.add_routes([web.post("/token", handle)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/token", fetches
    finally:
        await runner.cleanup()

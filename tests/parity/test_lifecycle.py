"""How both hosts end calls, replace workers and stop. Slow: played where ``PARITY`` is ``all`` (``make parity``)."""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Final

import pytest

from selftest.host.process import AppProcess, AppStartError
from tests.functions_host.microsoft_host import MicrosoftHost, needs_microsoft_host, slow
from tests.parity.hosts import both_hosts
from tests.parity.raw_http import exchange

pytestmark = [needs_microsoft_host, slow]

_RETRY_S: Final = 0.2
_BACK_S: Final = 10.0


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: probe.example\r\n\r\n".encode()


async def _back(url: str) -> str:
    """Return the body of the first answer after a worker was replaced."""
    deadline_s = time.monotonic() + _BACK_S
    while time.monotonic() < deadline_s:
        seen = await exchange(url, _get("/api/pid"))
        if seen.status == "200":
            return seen.body
        await asyncio.sleep(_RETRY_S)
    pytest.fail(f"{url} does not answer any more")


async def test_crashed_worker_is_replaced(tmp_path: Path) -> None:
    """Row 8: running calls are answered 500, and the next one by another worker."""
    async with both_hosts(tmp_path) as hosts:
        seen = []
        for url in (hosts.microsoft.url, hosts.stand_in.url):
            before = (await exchange(url, _get("/api/pid"))).body
            running = asyncio.create_task(exchange(url, _get("/api/slow/8")))
            await asyncio.sleep(0.5)
            crash = await exchange(url, _get("/api/crash"))
            seen.append((crash.status, (await running).status))
            assert await _back(url) != before
    assert seen == [("500", "500")] * 2


async def test_function_timeout(tmp_path: Path) -> None:
    """Row 7: a call that takes too long is answered 500, and its worker is replaced."""
    host_json = json.dumps({"version": "2.0", "functionTimeout": "00:00:03"})
    async with both_hosts(tmp_path, host_json=host_json) as hosts:
        for url in (hosts.microsoft.url, hosts.stand_in.url):
            before = (await exchange(url, _get("/api/pid"))).body
            assert (await exchange(url, _get("/api/slow/60"), wait_s=40)).status == "500"
            assert await _back(url) != before


async def test_calls_are_finished_when_the_host_stops(tmp_path: Path) -> None:
    """Row 9: a call that takes eight seconds is answered though the host was told to stop; the port is closed."""
    async with both_hosts(tmp_path) as hosts:
        urls = (hosts.microsoft.url, hosts.stand_in.url)
        calls = [asyncio.create_task(exchange(url, _get("/api/slow/8"), wait_s=30)) for url in urls]
        await asyncio.sleep(1)
        hosts.microsoft.process.send_signal(signal.SIGTERM)
        stopping = asyncio.create_task(hosts.stand_in.stop())
        await asyncio.sleep(2)
        for url in urls:
            with pytest.raises(ConnectionError):
                await exchange(url, _get("/api/pid"))
        assert [call.status for call in await asyncio.gather(*calls)] == ["200", "200"]
        await stopping


_ROUTES: Final = """
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
@app.route(route="good", methods=["GET"])
async def good(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("good")
@app.route(route="{route}", methods=["GET"])
async def odd(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("odd")
"""


@pytest.mark.parametrize(
    ("route", "host_json", "asked", "microsoft", "stand_in"),
    [
        ("/a/", {}, "/api/a", "503", "Azure's host answers 503"),
        ("admin/a", {}, "/api/admin/a", "404", "it drops the function"),
        ("runtime/a", {}, "/api/runtime/a", "404", "it drops the function"),
        ("good", {}, "/api/other", "404", "Azure's host drops this one"),
        ("a", {"extensions": {"http": {"routePrefix": "/api/"}}}, "/api/a", "503", "Azure's host answers 503"),
        ("a", {"functionTimeout": "0"}, "/api/a", "503", "Azure's host answers 503"),
        ("a", {"functionTimeout": "soon"}, "/api/a", "503", "Azure's host answers 503"),
        ("a", {"version": "1.0"}, "/api/a", "503", "Azure's host answers 503"),
        ("a\n", None, "/api/a", "404", "Azure loads the app the same way"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else str(value)[:20].strip(),
)
async def test_start(
    route: str, host_json: dict[str, object] | None, asked: str, microsoft: str, stand_in: str, tmp_path: Path
) -> None:
    """Rows 4 and 5: what Azure answers to an app that it does not serve, the stand-in says and refuses to start."""
    app = tmp_path / "app"
    app.mkdir()
    (app / "function_app.py").write_text(_ROUTES.replace("{route}", route))
    (app / "host.json").write_text(json.dumps({"version": "2.0", **(host_json or {})}))
    with pytest.raises(AppStartError, match=stand_in):
        async with AppProcess({}, app_dir=app):
            pytest.fail("the stand-in started")
    async with MicrosoftHost({}, app_dir=app, state_dir=tmp_path) as host:
        assert (await exchange(host.url, _get(asked))).status == microsoft

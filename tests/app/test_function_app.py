"""The deployed app in Microsoft's worker library: what it declares, what it loads, what it does under load."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from selftest.caller import caller_session
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess, AppStartError
from selftest.target import APP_DIR, CALLOUT_PATH, endpoint_settings

_DECLARES = """
import asyncio, json, pathlib
from selftest.host.worker import Worker
async def main():
    worker = await Worker.start(pathlib.Path.cwd())
    print(json.dumps({f.name: [json.loads(b) for b in f.raw_bindings] for f in worker.functions}))
    worker.stop()
asyncio.run(main())
"""
_LOADS = """
import asyncio, json, sys
import function_app
async def main():
    await function_app.endpoint.token_issuance_start({}, b"")
    await function_app.endpoint.health()
    await function_app.endpoint.aclose()
asyncio.run(main())
print(json.dumps(sorted(name for name in sys.modules)))
"""
#: Costly, and needed by no request of the default app. aiohttp is the harness's; pydantic and the rest are habits.
NEVER_LOADED = {
    "aiohttp",
    "azure.core",
    "azure.data",
    "azure.identity",
    "azure.monitor",
    "fastapi",
    "httpx",
    "msal",
    "opentelemetry",
    "pydantic",
    "requests",
    "selftest",
    "tests",
    "uvicorn",
}


def _python(code: str, **environ: str) -> str:
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=APP_DIR, env=environ, capture_output=True, check=False, text=True)  # noqa: S603 (our own code)
    assert run.returncode == 0, run.stderr
    return run.stdout


_SETTINGS = {
    "AuthenticationEvents__AuthorityUrl": "http://127.0.0.1:9/11111111-1111-4111-8111-111111111111",
    "AuthenticationEvents__AudienceAppId": "22222222-2222-4222-8222-222222222222",
}


def test_declares_two_anonymous_routes() -> None:
    """The bindings that Microsoft's own indexing finds are the committed ones."""
    golden = json.loads((Path(__file__).parent / "function_metadata.json").read_text())
    assert json.loads(_python(_DECLARES, **_SETTINGS)) == golden


def test_loads_nothing_that_no_request_needs() -> None:
    """Start-up is part of the two seconds: no heavy library is in the process after the first answer."""
    loaded = set(json.loads(_python(_LOADS, **_SETTINGS)))
    assert not {name for name in NEVER_LOADED if name in loaded}


async def test_missing_settings_stop_the_start() -> None:
    """The start fails with one message that names every setting at fault."""
    with pytest.raises(AppStartError) as failed:
        async with AppProcess({"Claims__BudgetMs": "5"}, app_dir=APP_DIR):
            pass
    for name in ("AuthenticationEvents__AuthorityUrl", "AuthenticationEvents__AudienceAppId", "Claims__BudgetMs"):
        assert name in str(failed.value)


@pytest.fixture
async def entra() -> AsyncIterator[EntraServer]:
    """Give an emulated tenant."""
    async with EntraServer() as server:
        yield server


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the resident memory from /proc (Linux)")
async def test_twenty_thousand_requests_leave_memory_flat(entra: EntraServer) -> None:
    """After a warm-up of 3,000 requests, 20,000 more change the resident memory by less than five per cent."""
    async with AppProcess(endpoint_settings(entra), app_dir=APP_DIR) as app, caller_session() as session:
        headers = {"Authorization": f"Bearer {entra.mint.callout_token()}", "Content-Type": "application/json"}
        body = json.dumps(VARIETIES[0].build(entra.tenant, "55555555-5555-4555-8555-555555555555")).encode()

        async def send(count: int) -> None:
            for _ in range(count):
                async with session.post(app.url + CALLOUT_PATH, headers=headers, data=body) as response:
                    assert response.status == 200
                    await response.read()

        await asyncio.gather(*(send(150) for _ in range(20)))
        before = _resident_pages(app.pid)
        await asyncio.gather(*(send(1000) for _ in range(20)))
        assert abs(_resident_pages(app.pid) / before - 1) < 0.05


def _resident_pages(pid: int | None) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])

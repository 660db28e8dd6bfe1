"""The deployed app in Microsoft's worker library: what it declares, what it loads, what it does under load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from selftest.host.process import AppProcess, AppStartError
from tests.checkout import ROOT

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
    await function_app.endpoint.health({})
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
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False, text=True)  # noqa: S603 (our own code)
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


_TELEMETRY = """
import asyncio, pathlib, sys
from selftest.host.worker import Worker
async def main():
    worker = await Worker.start(pathlib.Path.cwd())
    print("azure.monitor.opentelemetry" in sys.modules)
    worker.stop()
asyncio.run(main())
import os; sys.stdout.flush(); os._exit(0)  # its exporter threads would try to send once more
"""


def test_opentelemetry_is_loaded_by_setting_only() -> None:
    """Microsoft's worker library configures the Azure Monitor distribution when its setting says so, and not else."""
    assert _python(_TELEMETRY, **_SETTINGS).strip() == "False"
    switched_on = {
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=11111111-1111-4111-8111-111111111111;"
        "IngestionEndpoint=http://127.0.0.1:9/;LiveEndpoint=http://127.0.0.1:9/",
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    }
    assert _python(_TELEMETRY, **_SETTINGS, **switched_on).strip() == "True"


_LEVELS = """
import logging
logging.getLogger().setLevel("LEVEL")
import function_app
names = ("azure_functions_worker", "proxy_worker", "azure.functions", "claims.request")
print(*(logging.getLevelName(logging.getLogger(name).getEffectiveLevel()) for name in names))
"""


@pytest.mark.parametrize(("level", "workers"), [("INFO", "WARNING"), ("DEBUG", "DEBUG")])
def test_workers_say_nothing_of_each_call(level: str, workers: str) -> None:
    """Their loggers let warnings through, unless PYTHON_ENABLE_DEBUG_LOGGING has set the level of all; ours stays."""
    levels = _python(_LEVELS.replace("LEVEL", level), **_SETTINGS).split()
    assert levels == [workers, workers, workers, level]


async def test_missing_settings_stop_the_start() -> None:
    """The start fails with one message that names every setting at fault."""
    with pytest.raises(AppStartError) as failed:
        async with AppProcess({"Claims__BudgetMs": "5"}, app_dir=ROOT):
            pass
    for name in ("AuthenticationEvents__AuthorityUrl", "AuthenticationEvents__AudienceAppId", "Claims__BudgetMs"):
        assert name in str(failed.value)

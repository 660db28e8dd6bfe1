"""Both hosts with the same app."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selftest.host.process import AppProcess
from tests.functions_host.microsoft_host import MicrosoftHost
from tests.parity.probes import SETTINGS
from tests.parity.raw_http import exchange

APP: Final = Path(__file__).parent / "app"


@dataclass(frozen=True, slots=True)
class Hosts:
    """The two that are compared."""

    microsoft: MicrosoftHost
    stand_in: AppProcess


@asynccontextmanager
async def both_hosts(folder: Path, *, host_json: str | None = None) -> AsyncIterator[Hosts]:
    """Serve the app of the probes with both; each has answered one request.

    Args:
        folder: For the app's copy and the host's state.
        host_json: The text of host.json, instead of the app's own.
    """
    app = folder / "app"
    shutil.copytree(APP, app, ignore=shutil.ignore_patterns("__pycache__", "__init__.py"))
    if host_json is not None:
        (app / "host.json").write_text(host_json)
    async with (
        MicrosoftHost(SETTINGS, app_dir=app, state_dir=folder) as microsoft,
        AppProcess(SETTINGS, app_dir=app, stop_timeout_s=35) as stand_in,
    ):
        for url in (microsoft.url, stand_in.url):
            await exchange(url, b"GET /api/answer/plain HTTP/1.1\r\nHost: x\r\n\r\n")
        yield Hosts(microsoft, stand_in)

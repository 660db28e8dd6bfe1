"""The app in Microsoft's worker library, and sign-ins sent to it one by one."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from math import ceil

import aiohttp

from selftest.caller import caller_session
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.target import APP_DIR, CALLOUT_PATH, endpoint_settings


class SignIns:
    """Sends sign-ins, each with a correlation id of its own.

    Args:
        url: the endpoint.
        session: from `selftest.caller.caller_session`.
        entra: whose tokens the endpoint believes.
    """

    def __init__(self, url: str, session: aiohttp.ClientSession, entra: EntraServer) -> None:
        self._url = url
        self._session = session
        self._entra = entra
        self._token = entra.mint.callout_token()

    async def send(self, token: str | None = None) -> tuple[int, float]:
        """Send one, with a good token unless another is given; say the status and the latency in milliseconds."""
        headers = {"Authorization": f"Bearer {token or self._token}", "Content-Type": "application/json"}
        body = json.dumps(VARIETIES[0].build(self._entra.tenant, str(uuid.uuid4())))
        start_s = time.perf_counter()
        async with self._session.post(self._url, headers=headers, data=body) as response:
            await response.read()
            return response.status, (time.perf_counter() - start_s) * 1000


@asynccontextmanager
async def running_app(entra: EntraServer, settings: Mapping[str, str]) -> AsyncIterator[SignIns]:
    """Start the app of this checkout with these settings beside the tenant's."""
    async with (
        AppProcess({**endpoint_settings(entra), **settings}, app_dir=APP_DIR) as app,
        caller_session() as session,
    ):
        yield SignIns(app.url + CALLOUT_PATH, session, entra)


def percentile_ms(samples_ms: Sequence[float], percent: int) -> float:
    """Give a percentile by nearest rank."""
    return sorted(samples_ms)[ceil(len(samples_ms) * percent / 100) - 1]


def summary(samples_ms: Sequence[float]) -> str:
    """Write p50 and p99 with the number of samples."""
    p50_ms, p99_ms = percentile_ms(samples_ms, 50), percentile_ms(samples_ms, 99)
    return f"p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms ({len(samples_ms)} requests)"

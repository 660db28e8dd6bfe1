"""Memory stays flat, whichever provider answers.

CI plays the sample provider and the profile API; ``make stress`` plays every provider for 20,000 requests.
"""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.downstream.server import DownstreamServer
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.play.caller import caller_session
from selftest.play.target import endpoint_settings
from tests.checkout import ROOT
from tests.claims.providers.azurite import azurite, connection_string, why_not

#: More than the answers that are kept for a second delivery, so that their place is taken before the measurement.
WARM_UP = 6_000
IN_PARALLEL = 20
REQUESTS = {"sample": 20_000, "profile_api": 4_000}
if os.environ.get("STRESS_DURATION_S"):
    REQUESTS = dict.fromkeys(("sample", "profile_api", "graph", "table"), 20_000)


@asynccontextmanager
async def _settings_of(provider: str, directory: Path) -> AsyncIterator[Mapping[str, str]]:
    """Start what a provider asks, and give the settings to ask it."""
    async with AsyncExitStack() as stack:
        if provider == "table":
            if (reason := why_not()) is not None:
                pytest.skip(reason)
            url = await stack.enter_async_context(azurite(cwd=directory))
            yield {
                "Claims__Provider": "table",
                "Claims__Table__Name": "claims",
                "Claims__Table__ConnectionString": connection_string(url),
            }
            return
        downstream = await stack.enter_async_context(DownstreamServer())
        graph = {
            "Claims__Graph__Url": f"{downstream.base_url}/v1.0",
            "Claims__Graph__Scope": "https://graph.microsoft.com/.default",
            "Claims__Graph__Attributes": "department",
            "Claims__Graph__GroupsClaim": "Groups",
        }
        yield {} if provider == "sample" else {**downstream.settings(), **graph, "Claims__Provider": provider}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the resident memory from /proc (Linux)")
@pytest.mark.parametrize("provider", REQUESTS)
async def test_memory_stays_flat(provider: str, tmp_path: Path) -> None:
    """After a warm-up thousands of sign-ins change the resident memory by less than five per cent."""
    async with (
        EntraServer() as entra,
        _settings_of(provider, tmp_path) as settings,
        AppProcess({**endpoint_settings(entra), **settings}, app_dir=ROOT) as app,
        caller_session() as session,
    ):
        statuses = await _send(session, app.url, entra, WARM_UP)
        before = _resident_pages(app.pid)
        statuses |= await _send(session, app.url, entra, REQUESTS[provider])
        after = _resident_pages(app.pid)
    print(f"{provider}: {before * 4} kB before, {after * 4} kB after {REQUESTS[provider]} requests")  # noqa: T201 (make stress)
    # The table is not there: a failing downstream must leave nothing behind either.
    assert statuses == ({503} if provider == "table" else {200})
    assert abs(after / before - 1) < 0.05


async def _send(session: aiohttp.ClientSession, url: str, entra: EntraServer, count: int) -> set[int]:
    """Send so many sign-ins, each with a correlation id and a user of its own."""
    headers = {"Authorization": f"Bearer {entra.mint.callout_token()}", "Content-Type": "application/json"}
    event = VARIETIES[0].build(entra.tenant, str(uuid.uuid4()))
    statuses = set()

    async def send() -> None:
        for _ in range(count // IN_PARALLEL):
            context = event["data"]["authenticationContext"]
            context["correlationId"], context["user"]["id"] = str(uuid.uuid4()), str(uuid.uuid4())
            async with session.post(url + CALLOUT_PATH, headers=headers, data=json.dumps(event)) as response:
                await response.read()
                statuses.add(response.status)

    await asyncio.gather(*(send() for _ in range(IN_PARALLEL)))
    return statuses


def _resident_pages(pid: int | None) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])

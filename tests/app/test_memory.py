"""Memory stays flat, whichever provider answers, whatever its data source does, and whoever calls.

CI runs the profile API for a few thousand requests; ``make stress`` runs every provider for
50,000.
"""

import asyncio
import itertools
import json
import os
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.downstream.faults import FAULTS, Fault
from selftest.downstream.server import DownstreamServer
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.play.caller import caller_session
from selftest.play.target import endpoint_settings
from tests.checkout import ROOT
from tests.claims.providers.azurite import azurite, connection_string, why_not

IN_PARALLEL = 20
MAX_GROWTH = 0.05
ROUNDS = 3
#: As many finished replies as are kept at most wait for a second delivery: then nothing more comes that stays.
WARM_UP = 12_000
#: Last good claims are forgotten after seconds, so the warm-up reaches the level that lasts.
SETTINGS = {"Claims__OnFailure": "stale", "Claims__StaleSeconds": "2", "Claims__BudgetMs": "1000"}
REQUESTS = {"profile_api": 1_000}
if os.environ.get("STRESS_DURATION_S"):
    REQUESTS = dict.fromkeys(("sample", "profile_api", "graph", "table"), 50_000)
#: 63 KB of claims under names that look like addresses: within the cap of an answer, far over that of claims.
WIDE = json.dumps({f"someone{number:04}@example.com": "x" * 24 for number in range(1_150)}).encode()
HOSTILE = [
    Fault(name="wide", place="api", says="the API answers with 1,150 claims", body=WIDE),
    *(
        FAULTS[name]
        for name in ("malformed", "error", "truncated", "unauthorized", "not-found", "token-refused", "reset")
    ),
]


@asynccontextmanager
async def _settings_of(provider: str, directory: Path) -> AsyncIterator[tuple[Mapping[str, str], DownstreamServer]]:
    """Start what a provider asks, and give the settings to ask it."""
    async with AsyncExitStack() as stack:
        downstream = await stack.enter_async_context(DownstreamServer())
        if provider == "table":
            if (reason := why_not()) is not None:
                pytest.skip(reason)
            url = await stack.enter_async_context(azurite(cwd=directory))
            table = {"Claims__Table__Name": "claims", "Claims__Table__ConnectionString": connection_string(url)}
            yield {"Claims__Provider": "table", **table}, downstream
            return
        graph = {
            "Claims__Graph__Url": f"{downstream.base_url}/v1.0",
            "Claims__Graph__Scope": "https://graph.microsoft.com/.default",
            "Claims__Graph__Attributes": "department",
            "Claims__Graph__GroupsClaim": "groups",
        }
        own = {} if provider == "sample" else {**downstream.settings(), **(graph if provider == "graph" else {})}
        yield {**own, "Claims__Provider": provider}, downstream


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the resident memory from /proc (Linux)")
@pytest.mark.parametrize("provider", REQUESTS)
async def test_memory_stays_flat(provider: str, tmp_path: Path) -> None:
    """After a warm-up thousands of mixed requests change the resident memory by less than five per cent.

    What is kept for seconds depends on how fast a busy machine is; a leak grows in every round.
    """
    async with (
        EntraServer() as entra,
        _settings_of(provider, tmp_path) as (settings, downstream),
        AppProcess({**endpoint_settings(entra), **settings, **SETTINGS}, app_dir=ROOT) as app,
        caller_session() as session,
    ):
        count = REQUESTS[provider]
        answered = await _send(session, app.url, entra, downstream, min(WARM_UP, 2 * count))
        growths = []
        for _ in range(ROUNDS):
            before = _resident_pages(app.pid)
            statuses = await _send(session, app.url, entra, downstream, count)
            after = _resident_pages(app.pid)
            answered += statuses
            growths.append(after / before - 1)
            print(f"{provider}: {before * 4} kB before, {after * 4} kB after {count} requests, {dict(statuses)}")  # noqa: T201 (make stress)
            if growths[-1] < MAX_GROWTH:
                break
    assert set(answered) <= {200, 400, 401, 503}
    assert answered[400] > 0
    assert answered[401] > 0
    # The table is not there: a failing downstream must leave nothing behind either. After one round's refused tokens,
    # the next one's good calls can wait for a new token longer than these last.
    assert (answered[200] > 0) is (provider != "table")
    assert min(growths) < MAX_GROWTH


async def _send(
    session: aiohttp.ClientSession, url: str, entra: EntraServer, downstream: DownstreamServer, count: int
) -> Counter[int]:
    """Send requests of every kind, while the data source behaves and then misbehaves in each way."""
    statuses: Counter[int] = Counter()
    for fault in (None, *HOSTILE):
        requests = _requests(entra, count // (1 + len(HOSTILE)))
        with nullcontext() if fault is None else downstream.playing(fault):
            await asyncio.gather(
                *(_send_all(session, url + CALLOUT_PATH, requests, statuses) for _ in range(IN_PARALLEL))
            )
    return statuses


async def _send_all(
    session: aiohttp.ClientSession, url: str, requests: Iterator[tuple[str, bytes]], statuses: Counter[int]
) -> None:
    for token, body in requests:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        async with session.post(url, headers=headers, data=body) as response:
            await response.read()
            statuses[response.status] += 1


def _requests(entra: EntraServer, count: int) -> Iterator[tuple[str, bytes]]:
    """Give good events of ever new users, some delivered twice, among bad tokens and bad bodies."""
    token, event = entra.mint.callout_token(), VARIETIES[0].build(entra.tenant, str(uuid.uuid4()))
    context: dict[str, Any] = event["data"]["authenticationContext"]
    for kind in itertools.islice(itertools.cycle(("good", "good", "again", "good", "token", "good", "body")), count):
        if kind != "again":
            context["correlationId"], context["user"]["id"] = str(uuid.uuid4()), str(uuid.uuid4())
        body = json.dumps(event).encode()
        yield (token[:-8] + uuid.uuid4().hex[:8] if kind == "token" else token), (body[:-2] if kind == "body" else body)


def _resident_pages(pid: int | None) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])

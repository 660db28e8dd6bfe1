"""Both hosts are asked the same, and answer the same but for what the table of known differences says."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.functions_host.microsoft_host import needs_microsoft_host
from tests.parity.app.function_app import TOGETHER
from tests.parity.differences import DIFFERENCES
from tests.parity.hosts import Hosts, both_hosts
from tests.parity.probes import PROBES, Probe
from tests.parity.raw_http import Seen, exchange

pytestmark = [needs_microsoft_host, pytest.mark.asyncio(loop_scope="module")]

#: Requests that are under way at once.
_AT_ONCE: Final = 6
_MARK: Final = "[not in Azure's log] "


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosts]:
    """Serve the app with both."""
    async with both_hosts(tmp_path_factory.mktemp("parity")) as hosts:
        yield hosts


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: probe.example\r\n\r\n".encode()


async def _both(hosts: Hosts, request: bytes) -> tuple[Seen, Seen]:
    return await exchange(hosts.microsoft.url, request), await exchange(hosts.stand_in.url, request)


async def test_probes(hosts: Hosts) -> None:
    """No difference that the table does not explain, and no entry of the table that no longer differs."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def play(probe: Probe) -> tuple[Probe, Seen, Seen]:
        async with limit:
            return probe, *await _both(hosts, probe.request)

    differ = {}
    for probe, *answers in await asyncio.gather(*map(play, PROBES)):
        # Once more, alone: what does not repeat is the machine's doing.
        if answers[0] != answers[1] and (again := await _both(hosts, probe.request))[0] != again[1]:
            differ[probe.name] = f"\n  Microsoft's {again[0]}\n  stand-in    {again[1]}"
    known = {name for difference in DIFFERENCES for name in difference.probes}
    assert not {name: text for name, text in differ.items() if name not in known}, "not in the table"
    assert known <= differ.keys(), "in the table, and they no longer differ"


async def test_synchronous_handlers_run_at_once(hosts: Hosts) -> None:
    """Row 2: as many threads as Microsoft's host gives them, and not a few for each processor."""
    for url in (hosts.microsoft.url, hosts.stand_in.url):
        seen = await asyncio.gather(*(exchange(url, _get("/api/together")) for _ in range(TOGETHER)))
        assert {answer.body for answer in seen} == {"together"}, url


async def test_log_lines(hosts: Hosts) -> None:
    """Row 1: what Microsoft's host shows is what the stand-in shows without a mark, in any order."""
    for path in ("/api/logs", "/api/logs/sync"):
        await _both(hosts, _get(path))
    await hosts.stand_in.wait_for_line(lambda line: line == f"{_MARK}said after the answer")
    await hosts.microsoft.wait_for_line(lambda line: line == "said in a synchronous handler")
    shown = {line for line in hosts.microsoft.logs if line.startswith("said ")}
    said = {line for line in hosts.stand_in.logs if line.removeprefix(_MARK).startswith("said ")}
    assert {line for line in said if not line.startswith(_MARK)} == shown
    assert {line.removeprefix(_MARK) for line in said} - shown == {
        "said after the answer",
        "said at import",
        "said by azure.functions",
        "said in a thread",
        "said in to_thread",
    }

"""What the shared cache costs where nothing is wrong: the endpoint under ``stale`` with a real Redis, and without."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from typing import Final

from benchmarks import machine
from benchmarks.downstream import downstream
from benchmarks.load import LoadProcess, SignIns
from benchmarks.peer_round import LATE_MS, Round, arrive, saturate
from benchmarks.rounds import median_of_ratios, shuffled
from benchmarks.servers import OURS, Served, serving
from benchmarks.table import Must, Part, Table
from selftest.entra.server import EntraServer
from selftest.play.target import endpoint_settings

_AWAY_MS: Final = 1.0
_ROUNDS: Final = 6
_USERS: Final = 60
_CONNECTIONS: Final = 32
_RATE: Final = 100.0
_SATURATE_S: Final = 1.5
_ARRIVE_S: Final = 6.0
WITHOUT, WITH = "without", "with"
_COLUMNS: Final = ("cpu_ms", "p50_ms", "p99_ms")

MAX_P99_OF_WITHOUT: Final = 1.1


def missing() -> str:
    """Return why this cannot be measured here; empty if it can."""
    return (
        "" if shutil.which("redis-server") else "redis-server is not installed (Debian: apt-get install redis-server)"
    )


async def measure() -> Part:
    """Measure both, in turn."""
    pair = machine.processors()
    if pair:
        os.sched_setaffinity(0, {pair[0]})
    found: dict[str, list[Round]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        entra = await stack.enter_async_context(EntraServer())
        load = await stack.enter_async_context(LoadProcess())
        api = await stack.enter_async_context(downstream(_AWAY_MS))
        cache = {"Claims__SharedCache": await stack.enter_async_context(_redis())}
        stale = {**endpoint_settings(entra), **api, "Claims__OnFailure": "stale"}
        kinds = {f"user {n}": SignIns.good(entra, user=_user(n), weight=1 / _USERS) for n in range(_USERS)}
        one = {"good": SignIns.good(entra)}
        served: dict[str, Served] = {}
        for name, settings in ((WITHOUT, stale), (WITH, {**stale, **cache})):
            served[name] = await stack.enter_async_context(serving(OURS, settings))
            if pair:
                machine.pin(served[name].pid, pair[1])
            await load.arrive(served[name].port, kinds, duration_s=2.0, rate=_RATE)
        for number in range(_ROUNDS):
            for name in shuffled((WITHOUT, WITH), number):
                found[name].append(await _round(load, served[name], kinds, one))
    return part(found)


@asynccontextmanager
async def _redis() -> AsyncIterator[str]:
    """Run a Redis in memory, and yield its address."""
    with socket.socket() as sock, tempfile.TemporaryDirectory() as folder:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        sock.close()
        words = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder)
        process = await asyncio.create_subprocess_exec("redis-server", *words, stdout=asyncio.subprocess.DEVNULL)
        try:
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()
            await process.wait()


def _user(number: int) -> str:
    return f"52000000-0000-4000-8000-{number:012}"


async def _round(load: LoadProcess, served: Served, kinds: Mapping[str, SignIns], one: Mapping[str, SignIns]) -> Round:
    full = await saturate(load, served, one, duration_s=_SATURATE_S, connections=_CONNECTIONS)
    seldom = await arrive(load, served, kinds, _RATE, _ARRIVE_S)
    return Round(
        cpu_ms=full.cpu_ms,
        p50_ms=seldom.percentile_ms(50),
        p99_ms=seldom.percentile_ms(99),
        late_ms=seldom.late_ms,
        wrong=full.wrong + sum(kind.wrong for kind in seldom.kinds.values()),
    )


def part(found: Mapping[str, Sequence[Round]]) -> Part:
    """Return the part of the results."""
    without, cached = found[WITHOUT], found[WITH]
    ratio = median_of_ratios([each.p99_ms for each in cached], [each.p99_ms for each in without])
    quiet = all(median(each.late_ms for each in rounds) <= LATE_MS for rounds in found.values())
    return Part(
        name="shared-cache",
        title="What the shared cache costs",
        method=(
            f"Claims from an HTTP API {_AWAY_MS:g} ms away, `Claims__OnFailure=stale`, {_USERS} users, with a real "
            f"Redis on this machine and without one. Medians of {_ROUNDS} interleaved rounds. CPU per sign-in: at "
            f"saturation. Latency: random arrivals around {_RATE:.0f} a second, timed from when each was due."
        ),
        tables=(
            Table(
                title="",
                columns=("shared cache", "CPU ms each", "p50 ms at 100/s", "p99 ms at 100/s"),
                rows=tuple(
                    (name, *(f"{median(getattr(each, of) for each in found[name]):.3f}" for of in _COLUMNS))
                    for name in (WITHOUT, WITH)
                ),
            ),
        ),
        musts=(
            Must(says="p99 with the cache over p99 without", measured=ratio, limit=MAX_P99_OF_WITHOUT, judged=quiet),
            Must(
                says="wrong answers",
                measured=sum(each.wrong for rounds in found.values() for each in rounds),
                limit=0,
            ),
        ),
        notes=("The cache is written after the answer has left, and read only when the provider fails or is late.",),
    )

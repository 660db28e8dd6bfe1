"""The endpoint and its peers with a real data source: an HTTP API with a cached token, near and far.

Each sends with aiohttp. The endpoint is compared with each peer behind that peer's server.
"""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks import machine
from benchmarks.downstream import downstream
from benchmarks.load import LoadProcess, SignIns
from benchmarks.peer_round import LATE_MS, arrive, saturate
from benchmarks.rounds import median_of_ratios, percentile, shuffled
from benchmarks.servers import FASTAPI, HANDWRITTEN, OURS, OURS_ASGI, Peer, Served, serving
from benchmarks.table import Must, Part, Table
from selftest.entra.server import EntraServer
from selftest.play.target import endpoint_settings

PEERS: Final = (OURS, HANDWRITTEN, OURS_ASGI, FASTAPI)
#: In milliseconds, and with how many connections at once a processor is kept busy: those that wait use none.
DISTANCES: Final = ((1.0, 32), (20.0, 128))
#: Where the limits apply.
_JUDGED_MS: Final = 1.0
_ROUNDS: Final = 4
_RATE: Final = 100.0
_WARM_UP_S: Final = 0.7
_SATURATE_S: Final = 1.5
_ARRIVE_S: Final = 3.0

MAX_CPU_OF_FASTAPI: Final = 0.6
MAX_CPU_OF_HANDWRITTEN: Final = 1.0
MAX_P50_BEHIND_MS: Final = 0.2
MAX_P99_OF_BETTER: Final = 1.0
MIN_THROUGHPUT_OF_FASTAPI: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One peer in one round; times in milliseconds."""

    cpu_ms: float
    p50_ms: float
    p99_ms: float
    late_ms: float
    wrong: int


type Found = Mapping[str, Sequence[Round]]


async def measure() -> Part:
    """Measure at each distance."""
    found = {away_ms: await _measure_at(away_ms, connections) for away_ms, connections in DISTANCES}
    return part(found)


async def _measure_at(away_ms: float, connections: int) -> Found:
    pair = machine.processors()
    if pair:
        os.sched_setaffinity(0, {pair[0]})
    async with AsyncExitStack() as stack:
        entra = await stack.enter_async_context(EntraServer())
        load = await stack.enter_async_context(LoadProcess())
        settings = {**endpoint_settings(entra), **await stack.enter_async_context(downstream(away_ms))}
        kinds = {"good": SignIns.good(entra)}
        served: dict[str, Served] = {}
        for peer in PEERS:
            served[peer.name] = await stack.enter_async_context(serving(peer, settings))
            if pair:
                machine.pin(served[peer.name].pid, pair[1])
            await load.saturate(served[peer.name].port, kinds, duration_s=_WARM_UP_S, connections=connections)
        found: dict[str, list[Round]] = defaultdict(list)
        for number in range(_ROUNDS):
            for peer in shuffled(PEERS, number):
                found[peer.name].append(await _round(load, served[peer.name], kinds, connections))
    if pair:
        os.sched_setaffinity(0, set(pair))
    return found


async def _round(load: LoadProcess, served: Served, kinds: Mapping[str, SignIns], connections: int) -> Round:
    full = await saturate(load, served, kinds, duration_s=_SATURATE_S, connections=connections)
    seldom = await arrive(load, served, kinds, _RATE, _ARRIVE_S)
    good = seldom.kinds["good"]
    return Round(
        cpu_ms=full.cpu_ms,
        p50_ms=good.percentile_ms(50),
        p99_ms=good.percentile_ms(99),
        late_ms=seldom.late_ms,
        wrong=full.wrong + good.wrong,
    )


def part(found: Mapping[float, Found]) -> Part:
    """Return the part of the results."""
    wrong = sum(each.wrong for at in found.values() for rounds in at.values() for each in rounds)
    return Part(
        name="real-downstream",
        title="With a real data source",
        method=(
            "Claims from an HTTP API that wants a token of the managed identity, which each peer caches; all of them "
            f"send with aiohttp. Medians of {_ROUNDS} interleaved rounds. CPU per sign-in: at saturation, the time of "
            "the server's process; its inverse is the throughput of a processor. Latency: random arrivals around "
            f"{_RATE:.0f} a second, timed from when each was due. Server and load process have a processor each; API, "
            "emulated Entra and load process share one."
        ),
        tables=tuple(_table(away_ms, at) for away_ms, at in found.items()),
        musts=(
            *_musts(found[_JUDGED_MS]),
            Must(says="wrong answers of anybody", measured=wrong, limit=0),
        ),
        notes=("This endpoint is compared with each peer behind the server that the peer runs on.",),
    )


def _musts(at: Found) -> tuple[Must, ...]:
    ours, handwritten, ours_asgi, fastapi = (at[peer.name] for peer in PEERS)
    quiet = all(median(each.late_ms for each in rounds) <= LATE_MS for rounds in at.values())
    p99_of_better = max(
        _ratio(ours, handwritten, "p99_ms") if _median(handwritten, "p99_ms") <= _median(fastapi, "p99_ms") else 0.0,
        _ratio(ours_asgi, fastapi, "p99_ms") if _median(fastapi, "p99_ms") <= _median(handwritten, "p99_ms") else 0.0,
    )
    behind_ms = median(one.p50_ms - other.p50_ms for one, other in zip(ours, handwritten, strict=True))
    cpu_of_fastapi = _ratio(ours_asgi, fastapi, "cpu_ms")
    return (
        Must(says="CPU per sign-in over FastAPI's", measured=cpu_of_fastapi, limit=MAX_CPU_OF_FASTAPI),
        Must(
            says="CPU per sign-in over the hand-written handler's",
            measured=_ratio(ours, handwritten, "cpu_ms"),
            limit=MAX_CPU_OF_HANDWRITTEN,
        ),
        Must(
            says="p50 behind the hand-written handler's",
            measured=behind_ms,
            limit=MAX_P50_BEHIND_MS,
            unit=" ms",
            judged=quiet,
        ),
        Must(says="p99 over the better peer's", measured=p99_of_better, limit=MAX_P99_OF_BETTER, judged=quiet),
        Must(
            says="throughput of a processor over FastAPI's",
            measured=1 / cpu_of_fastapi,
            limit=MIN_THROUGHPUT_OF_FASTAPI,
            bound="at least",
        ),
    )


def _median(rounds: Sequence[Round], name: str) -> float:
    return float(median(getattr(each, name) for each in rounds))


def _ratio(ours: Sequence[Round], theirs: Sequence[Round], name: str) -> float:
    return median_of_ratios([getattr(each, name) for each in ours], [getattr(each, name) for each in theirs])


def _table(away_ms: float, at: Found) -> Table:
    return Table(
        title=f"The API is {away_ms:g} ms away",
        columns=("", "served by", "CPU ms each", "sign-ins/s of a processor", "p50 ms at 100/s", "p99 ms at 100/s"),
        rows=tuple(_row(peer, at[peer.name]) for peer in PEERS),
    )


def _row(peer: Peer, rounds: Sequence[Round]) -> tuple[str, ...]:
    cpu_ms = percentile([each.cpu_ms for each in rounds], 50)
    server = "Microsoft's worker library" if peer.app_dir else "uvicorn"
    latencies_ms = (f"{_median(rounds, name):.2f}" for name in ("p50_ms", "p99_ms"))
    return (peer.title, server, f"{cpu_ms:.3f}", f"{1000 / cpu_ms:.0f}", *latencies_ms)

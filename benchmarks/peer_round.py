"""Peers in interleaved rounds: at saturation, and at known rates."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks import machine
from benchmarks.load import LoadProcess, LoadResult, SignIns
from benchmarks.rounds import median_of_ratios, percentile, shuffled
from benchmarks.servers import Peer, Served, serving
from benchmarks.table import Table
from selftest.entra.server import EntraServer
from selftest.play.target import endpoint_settings

ROUNDS: Final = 4
RATE: Final = 100.0
_WARM_UP_S: Final = 0.7
_WARM_UPS: Final = 10
_SATURATE_S: Final = 1.5
_ARRIVE_S: Final = 3.0
_MIN_ARRIVALS: Final = 40
CONNECTIONS: Final = 16
#: A window in which the load process itself was later than this says little about the server.
LATE_MS: Final = 1.0
_TRIES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """A server at its highest rate.

    Attributes:
        rate: Answers a second.
        cpu_ms: Processor time of the server for each answer, in milliseconds.
        client_share: How much of one processor the load process took.
        server_share: How much of one processor the server got.
        wrong: Answers that should have been others.
    """

    rate: float
    cpu_ms: float
    client_share: float
    server_share: float
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One peer in one round; times in milliseconds."""

    cpu_ms: float
    p50_ms: float
    p99_ms: float
    late_ms: float
    wrong: int


type Found = Mapping[str, Sequence[Round]]


async def interleaved(
    peers: Sequence[Peer],
    source: AbstractAsyncContextManager[Mapping[str, str]],
    *,
    connections: int,
    rate: float = RATE,
) -> Found:
    """Measure peers that get their claims from one source, in turn.

    Args:
        peers: What is measured.
        source: Serves the source, and yields the settings with which every peer calls it.
        connections: How many sign-ins at once keep a processor busy.
        rate: Of the arrivals whose latencies are measured, a second.
    """
    pair = machine.processors()
    if pair:
        os.sched_setaffinity(0, {pair[0]})
    async with AsyncExitStack() as stack:
        entra = await stack.enter_async_context(EntraServer())
        load = await stack.enter_async_context(LoadProcess())
        settings = {**endpoint_settings(entra), **await stack.enter_async_context(source)}
        kinds = {"good": SignIns.good(entra)}
        served: dict[str, Served] = {}
        for peer in peers:
            served[peer.name] = await stack.enter_async_context(serving(peer, settings))
            if pair:
                machine.pin(served[peer.name].pid, pair[1])
            await _warm_up(load, served[peer.name], kinds, connections)
        found: dict[str, list[Round]] = defaultdict(list)
        for number in range(ROUNDS):
            for peer in shuffled(peers, number):
                found[peer.name].append(await _round(load, served[peer.name], kinds, connections, rate))
    if pair:
        os.sched_setaffinity(0, set(pair))
    return found


async def _warm_up(load: LoadProcess, served: Served, kinds: Mapping[str, SignIns], connections: int) -> None:
    """Send until every sign-in is answered: the first ones may wait for imports for longer than that takes."""
    for _ in range(_WARM_UPS):
        sent = await load.saturate(served.port, kinds, duration_s=_WARM_UP_S, connections=connections)
        if not sent.kinds["good"].wrong:
            return


async def _round(
    load: LoadProcess, served: Served, kinds: Mapping[str, SignIns], connections: int, rate: float
) -> Round:
    full = await saturate(load, served, kinds, duration_s=_SATURATE_S, connections=connections)
    seldom = await arrive(load, served, kinds, rate, max(_ARRIVE_S, _MIN_ARRIVALS / rate))
    good = seldom.kinds["good"]
    return Round(
        cpu_ms=full.cpu_ms,
        p50_ms=good.percentile_ms(50),
        p99_ms=good.percentile_ms(99),
        late_ms=seldom.late_ms,
        wrong=full.wrong + good.wrong,
    )


def median_of(rounds: Sequence[Round], name: str) -> float:
    """Return the median of one figure over the rounds."""
    return float(median(getattr(each, name) for each in rounds))


def ratio(ours: Sequence[Round], theirs: Sequence[Round], name: str) -> float:
    """Return the median over the rounds of the ratios of one figure."""
    return median_of_ratios([getattr(each, name) for each in ours], [getattr(each, name) for each in theirs])


def wrong_answers(*found: Found) -> int:
    """Count the wrong answers of every peer."""
    return sum(each.wrong for at in found for rounds in at.values() for each in rounds)


def figures(title: str, peers: Sequence[Peer], found: Found, rate: float = RATE) -> Table:
    """Return the table of what was found."""
    return Table(
        title=title,
        columns=(
            "",
            "served by",
            "CPU ms each",
            "sign-ins/s of a processor",
            *(f"{of} ms at {rate:g}/s" for of in ("p50", "p99")),
        ),
        rows=tuple(_row(peer, found[peer.name]) for peer in peers),
    )


def _row(peer: Peer, rounds: Sequence[Round]) -> tuple[str, ...]:
    cpu_ms = percentile([each.cpu_ms for each in rounds], 50)
    server = "Microsoft's worker library" if peer.app_dir else "uvicorn"
    latencies_ms = (f"{median_of(rounds, name):.2f}" for name in ("p50_ms", "p99_ms"))
    return (peer.title, server, f"{cpu_ms:.3f}", f"{1000 / cpu_ms:.0f}", *latencies_ms)


async def saturate(
    load: LoadProcess,
    served: Served,
    kinds: Mapping[str, SignIns],
    *,
    duration_s: float,
    connections: int = CONNECTIONS,
) -> Saturation:
    """Send as fast as a server answers."""
    before_s = machine.processor_s(served.pid)
    full = await load.saturate(served.port, kinds, duration_s=duration_s, connections=connections)
    used_s = machine.processor_s(served.pid) - before_s
    return Saturation(
        rate=full.rate,
        cpu_ms=used_s * 1000 / len(full.kinds["good"].latencies_ms),
        client_share=full.client_share,
        server_share=used_s / full.wall_s,
        wrong=full.kinds["good"].wrong,
    )


async def arrive(
    load: LoadProcess, served: Served, kinds: Mapping[str, SignIns], rate: float, duration_s: float
) -> LoadResult:
    """Send at a rate; once more when the load process was held up, and keep the window where it was less."""
    windows: list[LoadResult] = []
    for _ in range(_TRIES):
        windows.append(await load.arrive(served.port, kinds, duration_s=duration_s, rate=rate))
        if windows[-1].late_ms <= LATE_MS:
            break
    return min(windows, key=lambda window: window.late_ms)

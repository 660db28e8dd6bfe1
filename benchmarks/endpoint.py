"""The endpoint and its peers: the same sign-ins, the same claims, the same processor.

Behind Microsoft's worker library: the endpoint, the handler as it is usually written, and an empty function. Behind
uvicorn: the endpoint, FastAPI with fastapi-azure-auth, and an empty app.
"""

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks import machine
from benchmarks.load import LoadProcess, SignIns
from benchmarks.peer_round import CONNECTIONS, LATE_MS, arrive, saturate
from benchmarks.rounds import median_of_ratios, shuffled
from benchmarks.servers import EMPTY, EMPTY_ASGI, FASTAPI, HANDWRITTEN, OURS, OURS_ASGI, Peer, Served, serving
from benchmarks.table import Must, Part, Table
from selftest.entra.server import EntraServer
from selftest.play.target import endpoint_settings

IN_WORKER: Final = (OURS, HANDWRITTEN, EMPTY)
BEHIND_UVICORN: Final = (OURS_ASGI, FASTAPI, EMPTY_ASGI)

_ROUNDS: Final = 4
_WARM_UP_S: Final = 0.7
_SATURATE_S: Final = 2.0
_ARRIVE_S: Final = 2.5
_SELDOM_S: Final = 1.5
_SELDOM_RATE: Final = 100.0
#: Of what the slowest sustains: everybody is busy and nobody is overrun.
_MODERATE_SHARE: Final = 0.5
_ONE_CALLER_NOTE: Final = """\
All sign-ins carry one token, as a caller keeps its token while it lives. This endpoint verifies a token's signature
  once and its claims every time; the others do all of it every time. What a token never seen costs more is in the part
  on the handler."""
_THROUGHPUT_NOTE: Final = """\
Throughput of a processor is requests per second of the server's processor time at saturation, the inverse of CPU ms
  each, which a busy neighbor does not take away. Requests/s is by the clock: every server had at least {served:.0%} of
  its processor, and what is missing to 100 % went to others on the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One peer in one round; times in milliseconds, rates a second, memory in MiB, shares of one processor."""

    rate: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    seldom_p50_ms: float
    seldom_p99_ms: float
    memory_mib: float
    client_share: float
    server_share: float
    late_ms: float
    wrong: int


async def measure() -> Part:
    """Measure all of it."""
    peers = (*IN_WORKER, *BEHIND_UVICORN)
    pair = machine.processors()
    if pair:
        os.sched_setaffinity(0, {pair[0]})
    async with AsyncExitStack() as stack:
        entra = await stack.enter_async_context(EntraServer())
        load = await stack.enter_async_context(LoadProcess())
        served: dict[str, Served] = {}
        for peer in peers:
            served[peer.name] = await stack.enter_async_context(serving(peer, endpoint_settings(entra)))
            if pair:
                machine.pin(served[peer.name].pid, pair[1])
        kinds = {"good": SignIns.good(entra)}
        rates = [
            (await load.saturate(served[peer.name].port, kinds, duration_s=_WARM_UP_S, connections=CONNECTIONS)).rate
            for peer in peers
        ]
        moderate = round(_MODERATE_SHARE * min(rates), -1)
        found: dict[str, list[Round]] = defaultdict(list)
        for number in range(_ROUNDS):
            for peer in shuffled(peers, number):
                found[peer.name].append(await _round(load, served[peer.name], kinds, moderate))
    return _part(found, moderate)


async def _round(load: LoadProcess, served: Served, kinds: Mapping[str, SignIns], moderate: float) -> Round:
    full = await saturate(load, served, kinds, duration_s=_SATURATE_S)
    busy = await arrive(load, served, kinds, moderate, _ARRIVE_S)
    seldom = await arrive(load, served, kinds, _SELDOM_RATE, _SELDOM_S)
    return Round(
        rate=full.rate,
        cpu_ms=full.cpu_ms,
        p50_ms=busy.kinds["good"].percentile_ms(50),
        p99_ms=busy.kinds["good"].percentile_ms(99),
        seldom_p50_ms=seldom.kinds["good"].percentile_ms(50),
        seldom_p99_ms=seldom.kinds["good"].percentile_ms(99),
        memory_mib=machine.memory_mib(served.pid),
        client_share=full.client_share,
        server_share=full.server_share,
        late_ms=busy.late_ms,
        wrong=full.wrong + sum(result.kinds["good"].wrong for result in (busy, seldom)),
    )


def _part(found: Mapping[str, list[Round]], moderate: float) -> Part:
    ours, fastapi = found[OURS_ASGI.name], found[FASTAPI.name]
    wrong = sum(each.wrong for rounds in found.values() for each in rounds)
    served = min(each.server_share for rounds in found.values() for each in rounds)
    share = max(each.client_share for rounds in found.values() for each in rounds)
    return Part(
        name="endpoint",
        title="The endpoint and its peers",
        method=(
            "The same callout and token for each, every event with a correlation id of its own, constant claims. "
            f"Medians of {_ROUNDS} interleaved rounds. Throughput: {CONNECTIONS} connections, each always busy. "
            f"Latency: random arrivals around {moderate:.0f} a second, {_MODERATE_SHARE:.0%} of what the slowest "
            f"sustains, and around {_SELDOM_RATE:.0f} a second; timed from when each was due. Server and load process "
            "have a processor each. The endpoint writes its line of log for each request, as it always does; the "
            "hand-written handler one, FastAPI none."
        ),
        tables=(
            _table("Behind Microsoft's worker library", IN_WORKER, found, moderate),
            _table("Behind uvicorn", BEHIND_UVICORN, found, moderate),
        ),
        musts=(
            Must(
                says="throughput of a processor behind uvicorn over FastAPI + fastapi-azure-auth",
                measured=median_of_ratios([each.cpu_ms for each in fastapi], [each.cpu_ms for each in ours]),
                limit=2.0,
                bound="at least",
            ),
            Must(
                says=f"p99 at {moderate:.0f} a second over FastAPI + fastapi-azure-auth",
                measured=median_of_ratios([each.p99_ms for each in ours], [each.p99_ms for each in fastapi]),
                limit=0.5,
                judged=median(each.late_ms for each in (*ours, *fastapi)) <= LATE_MS,
            ),
            Must(says="wrong answers of anybody", measured=wrong, limit=0),
        ),
        notes=(
            _THROUGHPUT_NOTE.format(served=served),
            _ONE_CALLER_NOTE,
            f"The load process used at most {share:.0%} of its processor at saturation: it is not the limit.",
            "The empty ones check nothing: they are the floor, what server and worker library cost by themselves.",
        ),
    )


def _table(title: str, peers: tuple[Peer, ...], found: Mapping[str, list[Round]], moderate: float) -> Table:
    rows = []
    for peer in peers:
        rounds = found[peer.name]
        rows.append(
            (
                peer.title,
                f"{median(each.rate for each in rounds):.0f}",
                f"{median(each.cpu_ms for each in rounds):.3f}",
                f"{median(each.p50_ms for each in rounds):.2f}",
                f"{median(each.p99_ms for each in rounds):.2f}",
                f"{median(each.seldom_p50_ms for each in rounds):.2f}",
                f"{median(each.seldom_p99_ms for each in rounds):.2f}",
                f"{rounds[-1].memory_mib:.0f}",
            )
        )
    busy, seldom = f"{moderate:.0f}/s", f"{_SELDOM_RATE:.0f}/s"
    columns = ("", "requests/s", "CPU ms each", f"p50 ms at {busy}", f"p99 ms at {busy}")
    return Table(
        title=title,
        columns=(*columns, f"p50 ms at {seldom}", f"p99 ms at {seldom}", "memory MiB"),
        rows=tuple(rows),
    )

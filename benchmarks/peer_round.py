"""One peer in one round: at saturation, and at known rates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks import machine
from benchmarks.load import LoadProcess, LoadResult, SignIns
from benchmarks.servers import Served

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

"""The endpoint and its peers with a real data source: an HTTP API with a cached token, near and far.

Each sends with aiohttp. The endpoint is compared with each peer behind that peer's server.
"""

from collections.abc import Mapping
from statistics import median
from typing import Final

from benchmarks.downstream import downstream
from benchmarks.peer_round import (
    LATE_MS,
    RATE,
    ROUNDS,
    Found,
    figures,
    interleaved,
    median_of,
    ratio,
    wrong_answers,
)
from benchmarks.servers import FASTAPI, HANDWRITTEN, OURS, OURS_ASGI
from benchmarks.table import Must, Part

PEERS: Final = (OURS, HANDWRITTEN, OURS_ASGI, FASTAPI)
#: In milliseconds, and with how many connections at once a processor is kept busy: those that wait use none.
DISTANCES: Final = ((1.0, 32), (20.0, 128))
#: Where the limits apply.
_JUDGED_MS: Final = 1.0

MAX_CPU_OF_FASTAPI: Final = 0.6
MAX_CPU_OF_HANDWRITTEN: Final = 1.0
MAX_P50_BEHIND_MS: Final = 0.2
MAX_P99_OF_BETTER: Final = 1.0
MIN_THROUGHPUT_OF_FASTAPI: Final = 2.0


async def measure() -> Part:
    """Measure at each distance."""
    found = {
        away_ms: await interleaved(PEERS, downstream(away_ms), connections=connections)
        for away_ms, connections in DISTANCES
    }
    return part(found)


def part(found: Mapping[float, Found]) -> Part:
    """Return the part of the results."""
    return Part(
        name="real-downstream",
        title="With a real data source",
        method=(
            "Claims from an HTTP API that wants a token of the managed identity, which each peer caches; all of them "
            f"send with aiohttp. Medians of {ROUNDS} interleaved rounds. CPU per sign-in: at saturation, the time of "
            "the server's process; its inverse is the throughput of a processor. Latency: random arrivals around "
            f"{RATE:.0f} a second, timed from when each was due. Server and load process have a processor each; API, "
            "emulated Entra and load process share one."
        ),
        tables=tuple(figures(f"The API is {away_ms:g} ms away", PEERS, at) for away_ms, at in found.items()),
        musts=(
            *_musts(found[_JUDGED_MS]),
            Must(says="wrong answers of anybody", measured=wrong_answers(*found.values()), limit=0),
        ),
        notes=("This endpoint is compared with each peer behind the server that the peer runs on.",),
    )


def _musts(at: Found) -> tuple[Must, ...]:
    ours, handwritten, ours_asgi, fastapi = (at[peer.name] for peer in PEERS)
    quiet = all(median(each.late_ms for each in rounds) <= LATE_MS for rounds in at.values())
    theirs_ms = median_of(handwritten, "p99_ms"), median_of(fastapi, "p99_ms")
    p99_of_better = max(
        ratio(ours, handwritten, "p99_ms") if theirs_ms[0] <= theirs_ms[1] else 0.0,
        ratio(ours_asgi, fastapi, "p99_ms") if theirs_ms[1] <= theirs_ms[0] else 0.0,
    )
    behind_ms = median(one.p50_ms - other.p50_ms for one, other in zip(ours, handwritten, strict=True))
    cpu_of_fastapi = ratio(ours_asgi, fastapi, "cpu_ms")
    return (
        Must(says="CPU per sign-in over FastAPI's", measured=cpu_of_fastapi, limit=MAX_CPU_OF_FASTAPI),
        Must(
            says="CPU per sign-in over the hand-written handler's",
            measured=ratio(ours, handwritten, "cpu_ms"),
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

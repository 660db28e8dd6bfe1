"""The endpoint beside a hand-written handler with Microsoft's clients: for Graph, and for a table."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from benchmarks.peer_round import RATE, ROUNDS, Found, figures, interleaved, ratio, wrong_answers
from benchmarks.sdks import sources
from benchmarks.servers import HANDWRITTEN_GRAPH, HANDWRITTEN_GRAPH_JSON, HANDWRITTEN_TABLE, OURS, Peer
from benchmarks.table import Must, Part, Table

_AWAY_MS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The endpoint and one hand-written handler.

    Attributes:
        title: Of its table.
        peer: The handler.
        source: Serves what both ask, so many milliseconds away.
        connections: How many sign-ins at once keep a processor busy; all must be answered in time.
        rate: Of arrivals, a second, which both must sustain.
    """

    title: str
    peer: Peer
    source: Callable[[float], AbstractAsyncContextManager[Mapping[str, str]]]
    connections: int = 32
    rate: float = RATE


COMPARISONS: Final = (
    Comparison(
        title="Graph, with the SDK's models",
        peer=HANDWRITTEN_GRAPH,
        source=sources.graph,
        connections=4,
        rate=5.0,
    ),
    Comparison(
        title="Graph, without the SDK's models",
        peer=HANDWRITTEN_GRAPH_JSON,
        source=sources.graph,
        connections=16,
        rate=20.0,
    ),
    Comparison(title="Table", peer=HANDWRITTEN_TABLE, source=sources.table),
)
_NOTES: Final = (
    (
        "For each object of a response, here a user and eight groups, msgraph-sdk's models run more than a thousand "
        "import statements (`Entity.get_field_deserializers`). Without them the handler reads the JSON itself."
    ),
    (
        "With Graph, arrivals are fewer than 100 a second, because the handlers with the SDK would not always answer "
        "so many in time."
    ),
    (
        "With Graph itself the SDK speaks HTTP/2, which is not measured here. sniffio is installed, which the SDK does "
        "not bring and which makes its HTTP client faster."
    ),
    "The provider `table` sends with azure-data-tables, too.",
)


async def measure() -> Part:
    """Measure each comparison."""
    return part(
        [
            await interleaved((OURS, each.peer), each.source(_AWAY_MS), connections=each.connections, rate=each.rate)
            for each in COMPARISONS
        ]
    )


def part(found: Sequence[Found]) -> Part:
    """Return the part of the results."""
    measured = tuple(zip(COMPARISONS, found, strict=True))
    return Part(
        name="sdks",
        title="With Graph and a table",
        method=(
            "The providers `graph` and `table` beside the hand-written handler, which asks the same with Microsoft's "
            "SDKs. Graph: a user's attributes and groups, two requests at once, HTTP/1.1 without TLS. Table: a user's "
            "entity, with TLS. Both want a token of the managed identity, which each peer caches. Both are a stand-in "
            f"{_AWAY_MS:g} ms away that answers these requests alone, as Microsoft documents Graph and as Azurite "
            "answers: its distance is known, and it takes little processor time. All peers run behind Microsoft's "
            f"worker library. Medians of {ROUNDS} interleaved rounds. CPU per sign-in: at saturation, the time of the "
            "server's process; its inverse is the throughput of a processor. Latency: random arrivals around the rate "
            "in the column's head, timed from when each was due. Server and load process have a processor each; "
            "stand-in, emulated Entra and load process share one."
        ),
        tables=(
            *(figures(each.title, (OURS, each.peer), at, each.rate) for each, at in measured),
            Table(
                title="This endpoint over the hand-written handler",
                columns=("", "CPU each", "p50", "p99"),
                rows=tuple((each.title, *_ratios(each.peer, at)) for each, at in measured),
            ),
        ),
        musts=(Must(says="wrong answers of anybody", measured=wrong_answers(*found), limit=0),),
        notes=_NOTES,
    )


def _ratios(peer: Peer, at: Found) -> tuple[str, ...]:
    return tuple(f"{ratio(at[OURS.name], at[peer.name], of):.2f}" for of in ("cpu_ms", "p50_ms", "p99_ms"))

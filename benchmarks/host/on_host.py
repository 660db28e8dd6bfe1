"""The endpoint and its peers on Microsoft's own Functions host, side by side, eight calls at once."""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Final

import aiohttp

from benchmarks import machine
from benchmarks.host.host_process import Hosted, hosting
from benchmarks.load import PLACE, LoadProcess, SignIns
from benchmarks.rounds import shuffled
from benchmarks.servers import EMPTY, FASTAPI_FUNCTION, HANDWRITTEN, OURS, Peer
from benchmarks.table import Must, Part, Table
from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.entra.server import EntraServer
from selftest.host.process import AppStartError
from selftest.play.target import endpoint_settings

PEERS: Final = (EMPTY, OURS, HANDWRITTEN, FASTAPI_FUNCTION)
_ROUNDS: Final = 24
#: A neighbor on the same processor halves the speed of a virtual machine for tenths of a second up to minutes, and
#: nothing makes it faster than it is: of each app's rounds, this share with the highest rate counts.
_UNDISTURBED: Final = 0.25
_AT_ONCE: Final = 8
_WARM_UP_S: Final = 5.0
_WINDOW_S: Final = 1.0
_FIRST_ANSWER_S: Final = 60.0
_AGAIN_S: Final = 0.1

MIN_THROUGHPUT_OF_EMPTY: Final = 0.8
MAX_WORKER_ADDED_US: Final = 300.0
MIN_THROUGHPUT_OF_HANDWRITTEN: Final = 1.0
#: A machine on which those of the empty function differ by more than this says nothing about a share of its time.
MAX_SPREAD_OF_EMPTY: Final = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One peer in one round; CPU of each process for each call."""

    rate: float
    p50_ms: float
    worker_us: float
    host_us: float
    wrong: int


async def measure() -> Part:
    """Measure all of them."""
    found: dict[str, list[Round]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        entra = await stack.enter_async_context(EntraServer())
        load = await stack.enter_async_context(LoadProcess())
        kinds = {"good": SignIns.good(entra)}
        hosted: dict[str, Hosted] = {}
        for peer in PEERS:
            on = hosted[peer.name] = await stack.enter_async_context(hosting(peer, endpoint_settings(entra)))
            await _first_answer(peer, on, kinds["good"])
            await load.saturate(on.port, kinds, duration_s=_WARM_UP_S, connections=_AT_ONCE)
        for number in range(_ROUNDS):
            for peer in shuffled(PEERS, number):
                found[peer.name].append(await _round(load, hosted[peer.name], kinds))
    return part(found)


async def _first_answer(peer: Peer, on: Hosted, sign_in: SignIns) -> None:
    """Wait until the app answers: the host listens before its worker has loaded it.

    Raises:
        AppStartError: It gives no good answer, or another app answers in its place.
    """
    headers = {"Authorization": f"Bearer {sign_in.token}", "Content-Type": "application/json"}
    end_s = time.monotonic() + _FIRST_ANSWER_S
    status = 0
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < end_s:
            body = sign_in.body.replace(PLACE, str(uuid.uuid4()))
            try:
                url = f"http://127.0.0.1:{on.port}{CALLOUT_PATH}"
                async with session.post(url, data=body, headers=headers) as response:
                    status = response.status
                    ours = "X-Claims-Outcome" in response.headers
            except aiohttp.ClientError:
                status = 0
            if status == 200 and ours is not (peer is OURS):
                raise AppStartError(f"not {peer.title} but another app answers on Microsoft's host", "")
            if status == 200:
                return
            await asyncio.sleep(_AGAIN_S)
    raise AppStartError(f"{peer.title} gave no good answer on Microsoft's host, but {status}", "")


async def _round(load: LoadProcess, on: Hosted, kinds: Mapping[str, SignIns]) -> Round:
    before_s = machine.processor_s(on.worker), machine.processor_s(on.host)
    window = await load.saturate(on.port, kinds, duration_s=_WINDOW_S, connections=_AT_ONCE)
    after_s = machine.processor_s(on.worker), machine.processor_s(on.host)
    good = window.kinds["good"]
    worker_us, host_us = (
        (after - before) * 1e6 / len(good.latencies_ms) for before, after in zip(before_s, after_s, strict=True)
    )
    return Round(
        rate=window.rate, p50_ms=good.percentile_ms(50), worker_us=worker_us, host_us=host_us, wrong=good.wrong
    )


def part(found: Mapping[str, Sequence[Round]]) -> Part:
    """Return the part of the results."""
    fastest = {name: _undisturbed(rounds) for name, rounds in found.items()}
    empty, ours, handwritten = fastest[EMPTY.name], fastest[OURS.name], fastest[HANDWRITTEN.name]
    added_us = median(each.worker_us for each in ours) - median(each.worker_us for each in empty)
    wrong = sum(each.wrong for rounds in found.values() for each in rounds)
    of_empty = [each.worker_us for each in empty]
    quiet = max(of_empty) <= MAX_SPREAD_OF_EMPTY * min(of_empty)
    return Part(
        name="microsoft-host",
        title="On Microsoft's Functions host",
        method=(
            "Each app in Microsoft's own Functions host with Microsoft's Python worker, constant claims, "
            f"{_AT_ONCE} calls at once. {_ROUNDS} interleaved rounds of {_WINDOW_S:g} s; medians of each app's quarter "
            "with the highest rates, because neighbors of the machine halve its speed at times. Host, worker and load "
            "process share the processors, as the two share an instance. CPU is of each process for each call."
        ),
        tables=(
            Table(
                title="",
                columns=("", "calls/s", "over empty", "p50 ms", "worker CPU us", "host CPU us"),
                rows=tuple(_row(peer, fastest[peer.name], empty) for peer in PEERS),
            ),
        ),
        musts=(
            Must(
                says="throughput over the empty function's",
                measured=_of_rates(ours, empty),
                limit=MIN_THROUGHPUT_OF_EMPTY,
                bound="at least",
                judged=quiet,
            ),
            Must(
                says="CPU of the worker added to the empty function's",
                measured=added_us,
                limit=MAX_WORKER_ADDED_US,
                unit=" us",
                judged=quiet,
            ),
            Must(
                says="throughput over the hand-written handler's",
                measured=_of_rates(ours, handwritten),
                limit=MIN_THROUGHPUT_OF_HANDWRITTEN,
                bound="at least",
                judged=quiet,
            ),
            Must(says="wrong answers of anybody", measured=wrong, limit=0),
        ),
    )


def _undisturbed(rounds: Sequence[Round]) -> Sequence[Round]:
    return sorted(rounds, key=lambda each: each.rate)[-ceil(len(rounds) * _UNDISTURBED) :]


def _of_rates(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    return median(each.rate for each in ours) / median(each.rate for each in theirs)


def _row(peer: Peer, rounds: Sequence[Round], empty: Sequence[Round]) -> tuple[str, ...]:
    return (
        peer.title,
        f"{median(each.rate for each in rounds):.0f}",
        f"{_of_rates(rounds, empty):.2f}",
        f"{median(each.p50_ms for each in rounds):.1f}",
        f"{median(each.worker_us for each in rounds):.0f}",
        f"{median(each.host_us for each in rounds):.0f}",
    )

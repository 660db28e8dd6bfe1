"""What the endpoint adds to an empty function, in units of the work that nobody can leave out.

Both functions run in one process through Microsoft's worker library, without HTTP around them. The unit is one
verification of an RSA-2048 signature and one ``json.loads`` of the body, measured between them: what a machine or its
neighbors do to one, they do to the other. The log line is formatted and written, to nowhere.
"""

import asyncio
import cProfile
import itertools
import json
import logging
import os
import pstats
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.rounds import loop_factory, median_of_ratios, percentile, shuffled
from benchmarks.table import Must, Part, Table
from claims.token.accepted_tokens import MAX_TOKENS
from claims.token.jws import parse_compact
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.host.protos import TypedData
from selftest.host.worker import Function, FunctionRequest, Worker
from selftest.play.target import endpoint_settings

#: The endpoint may add this many units at the median.
MAX_UNITS: Final = 4.0
_ROUNDS: Final = 31
_CALLS: Final = 200
_APP: Final = Path(__file__).parent / "peers" / "with_empty_function"
_PROFILED_CALLS: Final = 5000
_PROFILE_LINES: Final = 45

type _Step = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerResult:
    """Medians over the rounds of each round's p50, in microseconds.

    Attributes:
        endpoint_us: the endpoint, through the worker; its caller's token is one that it has seen before.
        unseen_us: the same with a token that it has not, whose signature it has to verify.
        empty_us: the empty function, through the worker.
        verify_us: one verification.
        parse_us: one parse.
        units: what the endpoint adds in units, the median of the rounds' own ratios.
        unseen_units: the same with a token that it has not seen.
    """

    endpoint_us: float
    unseen_us: float
    empty_us: float
    verify_us: float
    parse_us: float
    units: float
    unseen_units: float


def part() -> Part:
    """Measure, as a part of the results."""
    found = measure()
    unit_us = found.verify_us + found.parse_us
    rows = (
        ("this endpoint, a token seen before", found.endpoint_us),
        ("this endpoint, a token never seen", found.unseen_us),
        ("empty function", found.empty_us),
        ("RSA-2048 verification", found.verify_us),
        ("JSON parse of the body", found.parse_us),
    )
    return Part(
        name="handler",
        title="What the endpoint adds to an empty function",
        method=(
            "In one process, through Microsoft's worker library without HTTP; each call is timed, medians of "
            f"{_ROUNDS} interleaved rounds of {_CALLS}. The unit is one RSA-2048 verification plus one `json.loads` "
            "of the body. The log line is formatted and written to the null device."
        ),
        tables=(
            Table(
                title="",
                columns=("", "p50 us", "units"),
                rows=tuple((name, f"{spent_us:.1f}", f"{spent_us / unit_us:.2f}") for name, spent_us in rows),
            ),
        ),
        musts=(Must(says="added by a token seen before", measured=found.units, limit=MAX_UNITS, unit=" units"),),
        notes=(
            "A caller keeps its token while it lives, and the endpoint verifies the signature of a token once.",
            f"A token never seen adds {found.unseen_units:.2f} units.",
        ),
    )


def profile() -> None:
    """Print where the endpoint's time goes."""
    with _quiet(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_profile())


def measure() -> HandlerResult:
    """Measure in a separate loop."""
    with _quiet(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_measure())


@contextmanager
def _quiet() -> Iterator[None]:
    """Send the log to nowhere, at the level of the harness's host and of Azure's worker."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=nowhere, force=True)
        for name in ("aiohttp", "azure", "azure_functions_runtime"):
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            yield
        finally:
            logging.basicConfig(force=True)


async def _measure() -> HandlerResult:
    p50_us: dict[str, list[float]] = defaultdict(list)
    async with _steps() as (steps, entra):
        for number in range(-1, _ROUNDS):  # the first warms up
            for name in shuffled(list(steps), number):
                bodies = [_body(entra) for _ in range(_CALLS)]
                spent_us = percentile(await _run(steps[name], bodies), 50)
                if number >= 0:
                    p50_us[name].append(spent_us)
    unit_us = [verify + parse for verify, parse in zip(p50_us["verify"], p50_us["parse"], strict=True)]
    return HandlerResult(
        endpoint_us=median(p50_us["endpoint"]),
        unseen_us=median(p50_us["unseen"]),
        empty_us=median(p50_us["empty"]),
        verify_us=median(p50_us["verify"]),
        parse_us=median(p50_us["parse"]),
        units=median_of_ratios(_added(p50_us, "endpoint"), unit_us),
        unseen_units=median_of_ratios(_added(p50_us, "unseen"), unit_us),
    )


def _added(p50_us: Mapping[str, list[float]], name: str) -> list[float]:
    return [ours - empty for ours, empty in zip(p50_us[name], p50_us["empty"], strict=True)]


async def _profile() -> None:
    async with _steps() as (steps, entra):
        bodies = [_body(entra) for _ in range(_PROFILED_CALLS)]
        profiler = cProfile.Profile()
        profiler.enable()
        await _run(steps["endpoint"], bodies)
        profiler.disable()
    pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(_PROFILE_LINES)


@asynccontextmanager
async def _steps() -> AsyncIterator[tuple[dict[str, _Step], EntraServer]]:
    async with EntraServer() as entra:
        os.environ.update(endpoint_settings(entra))
        worker = await Worker.start(_APP)
        try:
            yield _table_of_steps(worker, entra), entra
        finally:
            worker.stop()


def _table_of_steps(worker: Worker, entra: EntraServer) -> dict[str, _Step]:
    token = entra.mint.callout_token()
    # More than the endpoint remembers, so that none comes round while it is known.
    unseen = [entra.mint.callout_token() for _ in range(2 * MAX_TOKENS)]
    compact = parse_compact(token)
    public_key = entra.keys.current.private_key.public_key()
    padding, algorithm = PKCS1v15(), SHA256()

    async def verify(_: bytes) -> None:
        public_key.verify(compact.signature, compact.signing_input, padding, algorithm)

    async def parse(body: bytes) -> None:
        json.loads(body)

    functions = {function.route: function for function in worker.functions}
    return {
        "endpoint": _call(worker, functions["onTokenIssuanceStart"], [token]),
        "unseen": _call(worker, functions["onTokenIssuanceStart"], unseen),
        "empty": _call(worker, functions["empty"], [token]),
        "verify": verify,
        "parse": parse,
    }


def _call(worker: Worker, function: Function, tokens: Sequence[str]) -> _Step:
    headers = {"content-type": "application/json", "host": "127.0.0.1"}
    authorizations = itertools.cycle([f"Bearer {token}" for token in tokens])
    loop = asyncio.get_running_loop()

    async def call(body: bytes) -> None:
        request = FunctionRequest(
            method="POST",
            url="http://127.0.0.1/api/" + function.route,
            headers={**headers, "authorization": next(authorizations), "content-length": str(len(body))},
            query={},
            route_params={},
            body=body,
            trace_parent="",
            trace_state="",
        )
        _require_own_work(await loop.create_task(worker.invoke(function, request, str(uuid.uuid4()))))

    return call


def _require_own_work(answer: TypedData) -> None:
    if answer.http.status_code != "200":
        raise RuntimeError("the function did not answer 200: what was measured is not a sign-in")
    if answer.http.headers.get("x-claims-outcome") == "joined":
        raise RuntimeError("the answer is another call's: both calls had one event")


async def _run(step: _Step, bodies: list[bytes]) -> list[float]:
    """Return the microseconds of each call."""
    spent_us = []
    for body in bodies:
        start_ns = time.perf_counter_ns()
        await step(body)
        spent_us.append((time.perf_counter_ns() - start_ns) / 1000)
    return spent_us


def _body(entra: EntraServer) -> bytes:
    # A separate id each: a second delivery of one event would join the work of the first.
    return json.dumps(VARIETIES[0].build(entra.tenant, str(uuid.uuid4())), separators=(",", ":")).encode()

"""What the endpoint adds to an empty function, in units of the work that nobody can leave out.

Both functions run in one process through Microsoft's worker library, without HTTP around them. The unit is one
verification of an RSA-2048 signature and one ``json.loads`` of the body, measured between them: what a machine or its
neighbours do to one, they do to the other. The log line is formatted and written, to nowhere.
"""

import asyncio
import cProfile
import json
import logging
import os
import pstats
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.rounds import loop_factory, median_of_ratios, percentile, shuffled
from claims.compact import parse_compact
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.host.protos import TypedData
from selftest.host.worker import Function, FunctionRequest, Worker
from selftest.target import endpoint_settings

#: The endpoint may add this many units at the median.
MAX_UNITS: Final = 5.0
_ROUNDS: Final = 31
_CALLS: Final = 200
_APP: Final = Path(__file__).parent / "peers" / "beside"
_PROFILED_CALLS: Final = 5000
_PROFILE_LINES: Final = 45

type _Step = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerResult:
    """Medians over the rounds of each round's p50, in microseconds.

    Attributes:
        endpoint_us: the endpoint, through the worker.
        empty_us: the empty function, through the worker.
        verify_us: one verification.
        parse_us: one parse.
        units: what the endpoint adds in units, the median of the rounds' own ratios.
    """

    endpoint_us: float
    empty_us: float
    verify_us: float
    parse_us: float
    units: float

    @property
    def holds(self) -> bool:
        """Say whether the endpoint adds no more than it may."""
        return self.units <= MAX_UNITS

    def __str__(self) -> str:
        """Write the result in three lines."""
        added_us, unit_us = self.endpoint_us - self.empty_us, self.verify_us + self.parse_us
        verdict = "holds" if self.holds else "does not hold"
        return (
            f"endpoint {self.endpoint_us:.1f} us, empty function {self.empty_us:.1f} us: adds {added_us:.1f} us\n"
            f"unit {unit_us:.1f} us: RSA-2048 verification {self.verify_us:.1f} us, JSON parse {self.parse_us:.1f} us\n"
            f"adds {self.units:.2f} units, at most {MAX_UNITS:g}: {verdict}"
        )


def measure(*, profile: bool = False) -> HandlerResult:
    """Measure in a loop of its own; with ``profile``, print first where the endpoint's time goes."""
    # As the harness's host does, which sets the root to INFO like Azure's worker.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=nowhere, force=True)
        for name in ("aiohttp", "azure", "azure_functions_runtime"):
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                return runner.run(_measure(profile=profile))
        finally:
            logging.basicConfig(force=True)


async def _measure(*, profile: bool) -> HandlerResult:
    async with EntraServer() as entra:
        os.environ.update(endpoint_settings(entra))
        worker = await Worker.start(_APP)
        token = entra.mint.callout_token()
        steps = _steps(worker, entra, token)
        bodies = [_body(entra) for _ in range(_CALLS)]
        for step in steps.values():
            await _run(step, bodies)
        if profile:
            await _profile(steps["endpoint"], entra)
        p50_us: dict[str, list[float]] = {name: [] for name in steps}
        for number in range(_ROUNDS):
            bodies = [_body(entra) for _ in range(_CALLS)]
            for name in shuffled(list(steps), number):
                p50_us[name].append(percentile(await _run(steps[name], bodies), 50))
        worker.stop()
    added_us = [ours - empty for ours, empty in zip(p50_us["endpoint"], p50_us["empty"], strict=True)]
    unit_us = [verify + parse for verify, parse in zip(p50_us["verify"], p50_us["parse"], strict=True)]
    return HandlerResult(
        endpoint_us=median(p50_us["endpoint"]),
        empty_us=median(p50_us["empty"]),
        verify_us=median(p50_us["verify"]),
        parse_us=median(p50_us["parse"]),
        units=median_of_ratios(added_us, unit_us),
    )


def _steps(worker: Worker, entra: EntraServer, token: str) -> dict[str, _Step]:
    compact = parse_compact(token)
    public_key = entra.keys.current.private_key.public_key()
    padding, algorithm = PKCS1v15(), SHA256()

    async def verify(_: bytes) -> None:
        public_key.verify(compact.signature, compact.signing_input, padding, algorithm)

    async def parse(body: bytes) -> None:
        json.loads(body)

    functions = {function.route: function for function in worker.functions}
    return {
        "endpoint": _call(worker, functions["onTokenIssuanceStart"], token),
        "empty": _call(worker, functions["empty"], token),
        "verify": verify,
        "parse": parse,
    }


def _call(worker: Worker, function: Function, token: str) -> _Step:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "host": "127.0.0.1"}
    loop = asyncio.get_running_loop()

    async def call(body: bytes) -> None:
        request = FunctionRequest(
            method="POST",
            url="http://127.0.0.1/api/" + function.route,
            headers={**headers, "content-length": str(len(body))},
            query={},
            route_params={},
            body=body,
            trace_parent="",
            trace_state="",
        )
        answer = await loop.create_task(worker.invoke(function, request, str(uuid.uuid4())))
        _require_ok(answer)

    return call


def _require_ok(answer: TypedData) -> None:
    if answer.http.status_code != "200":
        raise RuntimeError("the function did not answer 200: what was measured is not a sign-in")


async def _run(step: _Step, bodies: list[bytes]) -> list[float]:
    """Give the microseconds of each call."""
    spent_us = []
    for body in bodies:
        start_ns = time.perf_counter_ns()
        await step(body)
        spent_us.append((time.perf_counter_ns() - start_ns) / 1000)
    return spent_us


def _body(entra: EntraServer) -> bytes:
    # An id of its own each: a second delivery of one event would join the work of the first.
    return json.dumps(VARIETIES[0].build(entra.tenant, str(uuid.uuid4())), separators=(",", ":")).encode()


async def _profile(step: _Step, entra: EntraServer) -> None:
    bodies = [_body(entra) for _ in range(_PROFILED_CALLS)]
    profiler = cProfile.Profile()
    profiler.enable()
    await _run(step, bodies)
    profiler.disable()
    pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(_PROFILE_LINES)

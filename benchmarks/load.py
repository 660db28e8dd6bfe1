"""The harness's end of the load process: what is sent, to whom, and what came of it."""

import asyncio
import itertools
import json
import os
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.rounds import percentile
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer

_ROOT: Final = Path(__file__).parents[1]
_LINE_BYTES: Final = 64 * 1024 * 1024
#: Where the correlation id of each sign-in goes.
PLACE: Final = "CORRELATION-ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIns:
    """One kind of sign-in.

    Attributes:
        token: the bearer token.
        body: the event's JSON, with a place for the correlation id.
        accepted: whether it has to be answered with claims, or refused.
        weight: its share among the kinds that are sent together.
    """

    token: str
    body: str
    accepted: bool = True
    weight: float = 1.0

    @classmethod
    def good(cls, entra: EntraServer, *, user: str | None = None, weight: float = 1.0) -> Self:
        """Make good sign-ins with a token of the current key."""
        return cls(token=entra.mint.callout_token(), body=event(entra, user=user), weight=weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindResult:
    """What became of one kind of sign-in; latencies in milliseconds.

    Attributes:
        accepted: whether it had to be.
        statuses: how often each; ``0`` is no answer.
        wrong: those that had to be answered otherwise.
    """

    accepted: bool
    latencies_ms: list[float]
    statuses: dict[str, int]
    wrong: int

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile by nearest rank."""
        return percentile(self.latencies_ms, percent)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What became of one job.

    Attributes:
        kinds: by name.
        wall_s: how long sending took.
        rate: answers a second.
        client_share: how much of one processor the load process took.
        late_ms: how late its 99th percentile was in sending.
    """

    kinds: Mapping[str, KindResult]
    wall_s: float
    rate: float
    client_share: float
    late_ms: float

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile of all kinds together, by nearest rank."""
        return percentile([spent_ms for kind in self.kinds.values() for spent_ms in kind.latencies_ms], percent)


def event(entra: EntraServer, *, user: str | None = None) -> str:
    """Write the event of a member's sign-in, as Entra does, with a place for the correlation id."""
    callout = VARIETIES[0].build(entra.tenant, PLACE)
    if user is not None:
        callout["data"]["authenticationContext"]["user"]["id"] = user
    return json.dumps(callout, separators=(",", ":"))


class LoadProcess:
    """The load process; an async context manager. One job at a time."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        # Correlation ids differ between jobs and between runs.
        self._runs = itertools.count(random.SystemRandom().getrandbits(31))

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.client"),
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def saturate(
        self, port: int, kinds: Mapping[str, SignIns], *, duration_s: float, connections: int
    ) -> LoadResult:
        """Send as fast as the server answers."""
        return await self._do(port, kinds, {"mode": "closed", "duration_s": duration_s, "connections": connections})

    async def arrive(self, port: int, kinds: Mapping[str, SignIns], *, duration_s: float, rate: float) -> LoadResult:
        """Send at random times around this rate a second."""
        return await self._do(port, kinds, {"mode": "open", "duration_s": duration_s, "rate": rate})

    async def _do(self, port: int, kinds: Mapping[str, SignIns], how: Mapping[str, Any]) -> LoadResult:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the load process is not started: use 'async with LoadProcess()'")
        sent = {
            name: {"token": kind.token, "body": kind.body, "accepted": kind.accepted, "weight": kind.weight}
            for name, kind in kinds.items()
        }
        job = {**how, "port": port, "run": next(self._runs), "kinds": sent}
        process.stdin.write(json.dumps(job).encode() + b"\n")
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError("the load process ended")
        result = json.loads(line)
        by_kind = {name: KindResult(**kind) for name, kind in result["kinds"].items()}
        return LoadResult(
            kinds=by_kind,
            wall_s=result["wall_s"],
            rate=sum(len(kind.latencies_ms) for kind in by_kind.values()) / result["wall_s"],
            client_share=result["client_cpu_s"] / result["wall_s"],
            late_ms=result["late_ms"],
        )

"""Run load tools against a server of known latency, and compare what they report with the truth.

The truth is the latency from when a call is due, whether or not the tool sent it then. For a server of constant latency
it is the service time that the server records. For a stall it follows from the schedule: a call that is due during the
stall waits for its end.

Tool and server have a processor each if there are two. If a tool reports its own lateness, a late run is repeated, at
most three times, and the least late one counts. The others have one run.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.load_tools.tools import (
    BUDGET_MS,
    ENGINE,
    EXPECTED_LATENCY_S,
    LOCUSTFILE,
    TOOLS,
    AbsentError,
    Job,
    Reported,
    Tool,
)
from benchmarks.rounds import percentile
from benchmarks.table import Must
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.payloads import VARIETIES
from selftest.play.caller import encode_event

_ROOT: Final = Path(__file__).parents[2]
_NIL: Final = "00000000-0000-4000-8000-000000000000"
_GRACE_S: Final = 40
_TRIES: Final = 3
_PUNCTUAL_MS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One server and one rate.

    Attributes:
        stall_at_s: The start of the stall, counted from the first call.
        stall_s: The length of the stall; 0 for none.
    """

    title: str
    rate_per_s: int
    duration_s: int
    stall_at_s: float = 0.0
    stall_s: float = 0.0

    def latencies_ms(self) -> list[float]:
        """Derive what the calls of an exact schedule meet, without the way there and back."""
        end_s = self.stall_at_s + self.stall_s
        due_s = (number / self.rate_per_s for number in range(self.rate_per_s * self.duration_s))
        return [1000 * (end_s - at_s if self.stall_at_s <= at_s < end_s else EXPECTED_LATENCY_S) for at_s in due_s]


CASES: Final = (
    Case(title="constant 200 ms, 100/s", rate_per_s=100, duration_s=6),
    Case(title="constant 200 ms, 300/s", rate_per_s=300, duration_s=6),
    Case(title="constant 200 ms, 1,000/s", rate_per_s=1000, duration_s=6),
    Case(title="a stall of 3 s, 20/s", rate_per_s=20, duration_s=15, stall_at_s=5.0, stall_s=3.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tool in one case.

    Attributes:
        truth_p99_ms: as derived; of the server's own notes where it does not stall.
        truth_over_budget: calls of the schedule that took longer than 2,000 ms.
        served: requests that came to the server.
        reported: None where the tool is absent or failed.
        processor_share: of one processor, while the case lasted.
        note: why there is no report.
    """

    case: Case
    tool: str
    truth_p99_ms: float = 0.0
    truth_over_budget: int = 0
    served: int = 0
    reported: Reported | None = None
    processor_share: float = 0.0
    note: str = ""

    @property
    def error_ms(self) -> float:
        """Return the reported percentile minus the true one; not a number without one."""
        return float("nan") if self.reported is None else self.reported.p99_ms - self.truth_p99_ms

    def cells(self) -> tuple[str, ...]:
        """Write the row of the table."""
        if self.reported is None:
            return (self.case.title, self.tool, self.note, *[""] * (len(COLUMNS) - 3))
        reported, asked = self.reported, self.case.rate_per_s * self.case.duration_s
        over = "" if reported.over_budget is None else f"{reported.over_budget} of {reported.calls}"
        return (
            self.case.title,
            self.tool,
            f"{reported.p99_ms:,.0f} ms",
            f"{self.truth_p99_ms:,.0f} ms",
            f"{self.error_ms:+,.0f} ms",
            over,
            f"{self.truth_over_budget} of {asked}",
            reported.lateness,
            f"{self.served / asked:.0%}",
            f"{self.processor_share:.0%}",
        )


COLUMNS: Final = (
    *("case", "tool", "p99 reported", "p99 true", "error", "over 2 s reported", "over 2 s true", "sent late"),
    *("calls that came", "CPU"),
)


def measure(cases: Sequence[Case] = CASES, tools: Sequence[Tool] = TOOLS) -> list[Row]:
    """Run every tool in every case, one after the other."""
    with tempfile.TemporaryDirectory() as scratch:
        body = Path(scratch) / "event.json"
        body.write_bytes(encode_event(VARIETIES[0].build(DEFAULT_TENANT, _NIL)))
        return [_punctual_row(case, tool, body) for case in cases for tool in tools]


def _punctual_row(case: Case, tool: Tool, body: Path) -> Row:
    """Run a tool, again when it says that it was late."""
    best = _row(case, tool, body)
    for _ in range(_TRIES - 1):
        if _lateness_ms(best) <= _PUNCTUAL_MS:
            break
        best = min(best, _row(case, tool, body), key=_lateness_ms)
    return best


def _lateness_ms(row: Row) -> float:
    return (row.reported and row.reported.lateness_p99_ms) or 0.0


def _row(case: Case, tool: Tool, body: Path) -> Row:
    with _server(case) as (port, notes):
        job = Job(
            base_url=f"http://127.0.0.1:{port}",
            rate_per_s=case.rate_per_s,
            duration_s=case.duration_s,
            body=body,
        )
        before_s = _children_s()
        try:
            reported = tool.read(_output_of(tool, job), job)
        except (AbsentError, RuntimeError) as error:
            return Row(case=case, tool=tool.name, note=str(error))
        used_s = _children_s() - before_s
    service_ms = [(end_s - arrival_s) * 1000 for arrival_s, end_s in notes]
    derived_ms = case.latencies_ms()
    return Row(
        case=case,
        tool=tool.name,
        truth_p99_ms=percentile(derived_ms if case.stall_s else service_ms, 99),
        truth_over_budget=sum(latency_ms > BUDGET_MS for latency_ms in derived_ms),
        served=len(service_ms),
        reported=reported,
        processor_share=used_s / case.duration_s,
    )


def _output_of(tool: Tool, job: Job) -> str:
    command, environment = tool.command(job)
    # Locust's exit code is a verdict; what counts here is whether there is an answer to read.
    done = subprocess.run(  # noqa: S603 - the tools that are installed here
        [*_pinned(0), *command],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=job.duration_s + _GRACE_S,
        check=False,
    )
    if not done.stdout.strip():
        raise RuntimeError(f"no answer, exit code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


@contextmanager
def _server(case: Case) -> Iterator[tuple[int, list[tuple[float, float]]]]:
    """Start the server; what it noted is there when it has ended."""
    notes: list[tuple[float, float]] = []
    stall = ("--stall-at-s", str(case.stall_at_s), "--stall-s", str(case.stall_s))
    command = [*_pinned(-1), sys.executable, "-m", "benchmarks.load_tools.server", *stall]
    with subprocess.Popen(  # noqa: S603 - ourselves
        [*command, "--latency-s", str(EXPECTED_LATENCY_S)],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe, which the types do not know
        yield int(process.stdout.readline()), notes
        written, _ = process.communicate()
        notes.extend((arrival_s, end_s) for arrival_s, end_s in json.loads(written))


def _pinned(which: int) -> tuple[str, ...]:
    """Keep a process on the first or the last processor, where there are two and taskset is there."""
    usable = sorted(os.sched_getaffinity(0))
    taskset = shutil.which("taskset")
    return (taskset, "-c", str(usable[which])) if taskset and len(usable) > 1 else ()


def _children_s() -> float:
    """Return the processor time of the children that have ended, in seconds; the server has not ended yet."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def musts(rows: Sequence[Row]) -> Iterator[Must]:
    """Yield what must hold of the engine, where it was punctual, and of the locustfile; other tools are only shown."""
    for row in rows:
        if row.reported is None:
            if row.tool == ENGINE.name:
                yield Must(says=f"{row.case.title}: {row.tool}: {row.note}", measured=float("nan"), limit=0)
            continue
        where = f"{row.case.title}: {row.tool}"
        missed = abs((row.reported.over_budget or 0) - row.truth_over_budget)
        if row.tool == ENGINE.name:
            # In a stall a percentile is one call's latency, and calls are due 50 ms apart.
            limit_ms = 2000 / row.case.rate_per_s if row.case.stall_s else 10
            late_ms = _lateness_ms(row)
            punctual = late_ms <= _PUNCTUAL_MS
            # A late engine shows a machine that was too busy, not an engine that reports wrong figures.
            yield Must(says=f"{where}: sent late, p99, ms", measured=late_ms, limit=_PUNCTUAL_MS, judged=punctual)
            if punctual:
                yield Must(says=f"{where}: p99 off by, ms", measured=abs(row.error_ms), limit=limit_ms)
                yield Must(says=f"{where}: calls over 2 s counted wrongly", measured=missed, limit=1)
        if row.tool == LOCUSTFILE.name:
            # Its users' schedules are spread evenly, not to the millisecond: a second of 20/s has 18 to 22 calls.
            yield Must(says=f"{where}: calls over 2 s counted wrongly", measured=missed, limit=3)

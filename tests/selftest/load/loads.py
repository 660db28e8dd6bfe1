"""Load runs for tests: plans, calls of the raw file, and complete results."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from selftest.load.measured.collect import load_line
from selftest.load.measured.samples import Samples
from selftest.load.measured.summary import LoadRecord
from selftest.load.plan.profiles import LoadPlan
from selftest.load.plan.schedule import Segment
from selftest.report.load_result import (
    ColdStart,
    LoadConfig,
    LoadCounts,
    LoadFault,
    LoadResult,
    MemorySample,
    Percentiles,
    Point,
    RateStep,
    Slice,
    TimingPhase,
)
from selftest.report.results import SCHEMA_VERSION

CONFIG = LoadConfig(
    profile="load",
    rate_per_s=20.0,
    duration_s=60.0,
    warmup_s=5.0,
    arrivals="constant",
    budget_ms=2000,
    timeout_ms=10_000,
    max_retries=1,
    max_in_flight=2000,
    seed=1,
)
PLAN = LoadPlan(config=CONFIG, segments=(Segment(rate_per_s=20.0, duration_s=60.0),))
FEW = Percentiles(samples=1200, p50_ms=12.5, p90_ms=20.0, p95_ms=22.0, p99_ms=31.0, p99_9_ms=90.0, max_ms=120.0)

#: A good run with one of everything that a run can have.
GOOD_LOAD = LoadResult(
    config=CONFIG,
    counts=LoadCounts(signins=1200, minted=1200, lost=0, dropped=0, first_calls_missed=0, retries=0),
    outcomes={"minted": 1200},
    endings={"in-budget": 1200},
    latency=FEW,
    failed_latency=None,
    service=FEW,
    lateness=Percentiles(samples=1200, p50_ms=0.5, p90_ms=1.0, p95_ms=1.2, p99_ms=1.8, p99_9_ms=2.0, max_ms=3.0),
    achieved_rate_per_s=20.0,
    confidence=0.99,
    missed_below=0.00383,
    curve=((0.0, 9.0), (0.5, 12.5), (1.0, 120.0)),
    points=(Point(due_s=1.0, latency_ms=12.5, outcome="in-budget"),),
    slices=(
        Slice(
            start_s=0.0,
            seconds=1.0,
            calls=20,
            missed=0,
            p50_ms=12.5,
            p99_ms=31.0,
            max_ms=31.0,
            lateness_max_ms=3.0,
        ),
    ),
    phases=(TimingPhase(name="provider", calls=1200, p50_ms=8.0, p99_ms=20.0, mean_share=0.6, slowest_share=0.8),),
    memory=tuple(MemorySample(at_s=float(at_s), resident_kb=70_000) for at_s in range(60)),
    cold_starts=(ColdStart(listening_ms=700.0, indexed_ms=None, answered_ms=760.0, minted=True),),
    warmup=FEW,
)
GOOD_STEP = RateStep(
    rate_per_s=50.0,
    seconds=30.0,
    signins=1500,
    lost=0,
    first_calls_missed=0,
    p50_ms=12.0,
    p99_ms=30.0,
    held=True,
    valid=True,
)
SOAK = replace(
    GOOD_LOAD,
    config=replace(CONFIG, profile="soak"),
    drift={"memory_kb_per_hour": 600.0, "p50_ms_per_hour": 0.5},
)
STEPS = replace(
    GOOD_LOAD, config=replace(CONFIG, profile="step"), steps=(GOOD_STEP, replace(GOOD_STEP, rate_per_s=100))
)
SPIKE = replace(GOOD_LOAD, config=replace(CONFIG, profile="spike"), steps=(GOOD_STEP,) * 3, recovery_s=2.0)
LATE_GENERATOR = LoadFault(name="lateness", measured="60 ms (p99)", limit="25 ms", recommendation="lower --rate")


def attempt(
    end_ms: float = 12.0,
    outcome: str = "in-budget",
    *,
    sent_ms: float = 0.5,
    code: int | None = None,
    timing: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Return one attempt of a line."""
    answered = outcome in {"in-budget", "late"} or code == 1003002
    return {
        "due_ms": 0.0,
        "sent_ms": sent_ms,
        "headers_ms": end_ms if answered else None,
        "end_ms": end_ms,
        "status": 200 if answered else None,
        "failure": None if answered else "timeout",
        "outcome": outcome,
        "code": code,
        "server_timing_ms": timing or {},
    }


def call(due_s: float, *attempts: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return one call; without attempts it was dropped."""
    return {"kind": "call", "due_s": due_s, "correlation_id": "c", "attempts": list(attempts), **members}


def plan(config: LoadConfig = CONFIG, *segments: Segment) -> LoadPlan:
    """Return a plan."""
    return LoadPlan(
        config=config,
        segments=segments or (Segment(rate_per_s=config.rate_per_s, duration_s=config.duration_s),),
    )


def record(calls: Iterable[dict[str, Any]], of: LoadPlan = PLAN, *, elapsed_s: float | None = None) -> LoadRecord:
    """Return calls as a complete run of this plan."""
    samples = Samples()
    taken = list(calls)
    for each in taken:
        samples.take(each)
    scheduled = sum(not each.get("warmup") for each in taken)
    length_s = of.config.duration_s if elapsed_s is None else elapsed_s
    return LoadRecord(plan=of, scheduled=scheduled, samples=samples, elapsed_s=length_s, wall_s=length_s)


def raw_lines(calls: Iterable[dict[str, Any]], of: LoadPlan = PLAN, *, ended: bool = True) -> list[dict[str, Any]]:
    """Return the lines of a complete run."""
    taken = list(calls)
    run = {
        "kind": "run",
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "t", "version": "0"},
        "environment": {"python": "3.13"},
        "target": {"url": "http://127.0.0.1:1/api/onTokenIssuanceStart", "mode": "local"},
        "started_at": "2026-01-02T03:04:05+00:00",
        "strict": False,
    }
    length_s = of.config.duration_s
    lines = [run, load_line(of, len(taken)), *taken]
    if ended:
        lines += [
            {"kind": "load_end", "elapsed_s": length_s, "wall_s": length_s},
            {"kind": "end", "duration_s": length_s, "interrupted": False},
        ]
    return lines

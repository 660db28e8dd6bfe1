"""For each load check, a good run, and the same run with one fault that makes the check fail."""

from dataclasses import replace

from selftest.report.load_result import LoadResult, TimingPhase
from tests.selftest.checks.planted_fault import PlantedFault
from tests.selftest.load.loads import GOOD_LOAD, GOOD_STEP, SOAK, SPIKE, STEPS


def found(load: LoadResult) -> PlantedFault:
    """Return a fault that gives this load result to the check."""
    return PlantedFault(env=lambda env: replace(env, load=load))


_LOST = replace(GOOD_LOAD.counts, minted=1199, lost=1, first_calls_missed=1)
_SLOW_PHASE = TimingPhase(name="provider", calls=1200, p50_ms=8.0, p99_ms=1901.0, mean_share=0.6, slowest_share=0.9)
_SLOW_START = replace(GOOD_LOAD.cold_starts[0], answered_ms=2701.0)

#: Good, and then broken.
LOAD_RUNS = {
    "L01": (GOOD_LOAD, replace(GOOD_LOAD, missed_below=0.03, missed_above=0.011)),
    "L02": (GOOD_LOAD, replace(GOOD_LOAD, counts=_LOST, outcomes={"minted": 1199, "1003002": 1})),
    "L03": (GOOD_LOAD, replace(GOOD_LOAD, phases=(_SLOW_PHASE,))),
    "L04": (GOOD_LOAD, replace(GOOD_LOAD, cold_starts=(GOOD_LOAD.cold_starts[0], _SLOW_START))),
    "L05": (SOAK, replace(SOAK, drift={"memory_kb_per_hour": 500_000.0})),
    "L06": (STEPS, replace(STEPS, steps=(GOOD_STEP, replace(GOOD_STEP, rate_per_s=100.0, held=False, lost=7)))),
    "L07": (SPIKE, replace(SPIKE, recovery_s=11.0)),
    "L08": (SOAK, replace(SOAK, drift={"p50_ms_per_hour": 900.0})),
}
LOAD_GOOD = {name: found(good) for name, (good, _) in LOAD_RUNS.items()}
LOAD_FAULTS = {name: found(bad) for name, (_, bad) in LOAD_RUNS.items()}

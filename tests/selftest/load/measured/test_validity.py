"""Whether a run may be believed, and what to do where it may not."""

from dataclasses import replace

import pytest

from selftest.load.measured.statistics import lower_bound, percentiles, upper_bound
from selftest.load.measured.validity import Evidence, faults_of
from tests.selftest.load.loads import CONFIG


def evidence(calls: int = 1200, missed: int = 0, **changes: object) -> Evidence:
    """Make the evidence of a run with so many misses."""
    good = Evidence(
        calls=calls,
        missed=missed,
        dropped=0,
        lateness=percentiles([1.8] * max(calls, 1)),
        asked_rate_per_s=20.0,
        achieved_rate_per_s=20.0,
        elapsed_s=60.0,
        clock_difference_s=0.001,
        missed_below=upper_bound(missed, calls, 0.99),
        missed_above=lower_bound(missed, calls, 0.99),
        confidence=0.99,
    )
    return replace(good, **changes)  # type: ignore[arg-type] # the fields of Evidence, chosen by the test


@pytest.mark.parametrize(
    ("found", "name", "advice"),
    [
        (evidence(lateness=percentiles([0.5] * 98 + [25.1] * 2)), "lateness", "lower --rate, or use a quieter machine"),
        (evidence(dropped=1), "dropped", "2,000 concurrent attempts"),
        (evidence(achieved_rate_per_s=19.7), "rate", "did not reach its rate"),
        (evidence(clock_difference_s=3600), "clock", "keep it awake"),
        (evidence(clock_difference_s=-3600), "clock", "keep it awake"),
        (evidence(calls=200), "samples", "needs 259 more calls, all in time"),
        (evidence(calls=1200, missed=8), "samples", "needs 536 more calls, all in time"),
        (
            evidence(calls=1200, missed=18),
            "samples",
            "1.50 % failed or were late, which is over the limit, but not with this confidence",
        ),
        (evidence(calls=0, lateness=None), "samples", "needs 459 more calls"),
    ],
)
def test_each_fault_has_its_recommendation(found: Evidence, name: str, advice: str) -> None:
    """What was measured, what is wanted, and what to change."""
    (fault,) = faults_of(CONFIG, found)
    assert fault.name == name
    assert advice in fault.recommendation


@pytest.mark.parametrize(
    "found",
    [
        evidence(),
        evidence(calls=459),
        evidence(calls=662, missed=1),
        evidence(lateness=percentiles([0.5] * 99 + [400.0])),
        evidence(achieved_rate_per_s=19.81),
        evidence(clock_difference_s=0.9),
        evidence(calls=20, missed=20),
    ],
    ids=["good", "459", "662 with one", "one late call in 100", "99 %", "a clock that was corrected", "all missed"],
)
def test_a_run_that_proves_something_is_valid(found: Evidence) -> None:
    """Also one that proves, with however few calls, that the endpoint does not hold."""
    assert faults_of(CONFIG, found) == ()


def test_a_step_run_needs_no_proof_as_a_whole() -> None:
    """Its rates are judged one by one."""
    assert faults_of(replace(CONFIG, profile="step"), evidence(calls=60)) == ()


def test_what_dropped_calls_took_is_no_second_fault() -> None:
    """The rate is short because of them, and one reason is enough."""
    assert [fault.name for fault in faults_of(CONFIG, evidence(dropped=300, achieved_rate_per_s=15))] == ["dropped"]

"""From calls to what a run found: counts that add up, percentiles that do not mix, steps, recovery and drift."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftest.load.measured.samples import LineError, Samples
from selftest.load.measured.summary import summarize
from selftest.load.plan.profiles import spike, steps
from selftest.report.load_result import MemorySample
from tests.selftest.load.loads import CONFIG, attempt, call, plan, record

LATE = attempt(2500.0, "late", code=1003005)
FAILED = attempt(3.0, "failed", code=1003002)
SILENT = attempt(10_000.0, "unanswered", code=1003005)
GOOD = attempt()
MIXED = [
    *(call(number / 20, GOOD) for number in range(10)),
    call(0.5, LATE, GOOD),
    call(0.55, LATE, LATE),
    call(0.6, FAILED),
    call(0.65, SILENT, SILENT),
    call(0.7),
]


def test_counts_add_up() -> None:
    """Each sign-in is minted, lost or dropped; the retry saves one, and a first call that missed stays one."""
    counts = summarize(record(MIXED)).counts
    assert (counts.signins, counts.minted, counts.lost, counts.dropped) == (15, 11, 3, 1)
    assert (counts.first_calls_missed, counts.retries) == (4, 3)


def test_first_calls_by_what_entra_would_log() -> None:
    """To Entra a late answer is none; how the calls ended is another count, of all calls."""
    found = summarize(record(MIXED))
    assert found.outcomes == {"minted": 10, "1003005": 3, "1003002": 1}
    assert found.endings == {"in-budget": 10, "late": 2, "failed": 1, "unanswered": 1, "dropped": 1}


def test_failures_and_answers_share_no_percentile() -> None:
    """A fast refusal does not make the endpoint look fast; a late answer and one that never came count as slow."""
    found = summarize(record(MIXED))
    assert found.latency is not None
    assert found.failed_latency is not None
    assert (found.latency.samples, found.latency.p90_ms, found.latency.max_ms) == (13, 2500.0, 10_000.0)
    assert (found.failed_latency.samples, found.failed_latency.max_ms) == (1, 3.0)
    assert found.curve[-1] == (1.0, 10_000.0)


def test_fast_failures_make_no_part_look_fast() -> None:
    """Neither an interval nor a phase nor the way back from a spike gets its times from replies without a token."""
    slow = attempt(800.0, timing={"provider": 700.0, "total": 700.0})
    refused = attempt(3.0, "failed", code=1003002, timing={"provider": 1.0, "total": 1.0})
    found = summarize(record([call(0.0, slow), *(call(0.1, refused) for _ in range(9))]))
    assert [(each.p50_ms, each.calls, each.missed) for each in found.slices] == [(800.0, 10, 9)]
    assert {phase.name: (phase.calls, phase.p50_ms) for phase in found.phases}["provider"] == (1, 700.0)
    segments = spike(10.0, 15.0, 50.0, 2.0)
    of = plan(replace(CONFIG, profile="spike", rate_per_s=50.0, duration_s=15.0), *segments)
    calls = [call(number / 10, GOOD if number < 50 else refused) for number in range(150)]
    assert summarize(record(calls, of)).recovery_s is None


def test_a_failure_after_the_budget_is_slow() -> None:
    """Entra did not wait for it; its time is not left out."""
    found = summarize(record([call(0.0, GOOD), call(0.1, attempt(2100.0, "failed", code=1003005))]))
    assert found.latency is not None
    assert (found.latency.samples, found.latency.max_ms, found.failed_latency) == (2, 2100.0, None)


def test_thresholds_are_judged_by_what_was_measured() -> None:
    """Time by the percentiles, shares by the counts."""
    of = plan(replace(CONFIG, thresholds=("p50<20", "p99<2s", "errors<=15%", "missed<0.28", "lost<=0")))
    found = summarize(record(MIXED, of)).thresholds
    assert {each.expression: (each.measured, each.held) for each in found} == {
        "p50<20": ("12 ms", True),
        "p99<2s": ("10,000 ms", False),
        "errors<=15%": ("14.3 %", True),
        "missed<0.28": ("28.6 %", False),
        "lost<=0": ("26.7 %", False),
    }


def test_without_a_call_no_threshold_holds() -> None:
    """A dead endpoint is not within 300 ms."""
    of = plan(replace(CONFIG, thresholds=("p95<300", "errors<100%")))
    assert [each.held for each in summarize(record([call(0.0, FAILED)], of)).thresholds] == [False, False]


def test_latency_counts_from_due_and_service_from_sent() -> None:
    """What a late generator adds is in the one and not in the other."""
    found = summarize(record([call(0.0, attempt(80.0, sent_ms=70.0))]))
    assert found.latency is not None
    assert found.service is not None
    assert found.lateness is not None
    assert (found.latency.p50_ms, found.service.p50_ms, found.lateness.p50_ms) == (80.0, 10.0, 70.0)


def test_the_warm_up_is_told_apart() -> None:
    """Slow first calls are shown, and change nothing."""
    found = summarize(record([call(0.0, attempt(900.0), warmup=True), call(0.0, GOOD)]))
    assert found.warmup is not None
    assert found.latency is not None
    assert (found.warmup.max_ms, found.latency.max_ms, found.counts.signins) == (900.0, 12.0, 1)


def test_an_empty_run_is_a_result() -> None:
    """Interrupted before its first call: nothing is known, and nothing breaks."""
    found = summarize(record([]))
    assert (found.latency, found.lateness, found.curve, found.counts.signins) == (None, None, (), 0)
    assert (found.missed_below, found.valid) == (1.0, False)


def test_the_curve_reaches_from_the_fastest_to_the_slowest() -> None:
    """Ascending in both, ends at share 1 with the maximum, and leaves out what failed."""
    calls = [call(number / 1000, attempt(float(number + 1))) for number in range(1000)]
    curve = summarize(record([*calls, call(1.0, FAILED)])).curve
    assert (curve[0], curve[-1]) == ((0.0, 1.0), (1.0, 1000.0))
    assert list(curve) == sorted(curve)
    assert (0.99, 990.0) in curve
    assert (0.999, 999.0) in curve
    assert len({share for share, _ in curve}) == len(curve)


def test_a_long_run_is_thinned_and_keeps_its_misses() -> None:
    """The picture stays small; a miss is never thinned away while there are few."""
    calls = [call(number / 1000, LATE if number % 1000 == 7 else GOOD) for number in range(20_000)]
    found = summarize(record(calls))
    assert len(found.points) <= 2100
    assert sum(point.outcome == "late" for point in found.points) == 20
    assert sum(each.calls for each in found.slices) == 20_000
    assert sum(each.missed for each in found.slices) == 20
    assert len(found.slices) <= 61


def test_where_the_time_went() -> None:
    """Shares of all latency, and of the slowest hundredth, which another phase explains."""
    quick = attempt(10.0, timing={"token": 1.0, "provider": 4.0, "total": 6.0})
    slow = attempt(1000.0, timing={"token": 1.0, "provider": 980.0, "total": 982.0})
    found = summarize(record([*(call(0.0, quick) for _ in range(99)), call(0.0, slow), call(0.0, GOOD)]))
    shares = {phase.name: (round(phase.mean_share, 2), round(phase.slowest_share, 2)) for phase in found.phases}
    assert shares["provider"][1] == 0.98
    assert sum(phase.mean_share for phase in found.phases) == pytest.approx(1, abs=0.01)
    assert {phase.calls for phase in found.phases} == {100}


def test_new_phase_names_in_every_answer_are_bounded() -> None:
    """An endpoint that invents names fills neither memory nor report."""
    calls = [call(0.0, attempt(timing={f"p{number}": 1.0})) for number in range(200)]
    assert len(summarize(record(calls)).phases) <= 32


def _step_run(second: dict[str, Any]) -> Any:
    segments = steps((10.0, 20.0), 1.0)
    of = plan(replace(CONFIG, profile="step", rate_per_s=20.0, duration_s=2.0), *segments)
    calls = [call(number / 10, GOOD) for number in range(10)]
    return summarize(record([*calls, *(call(1 + number / 20, second) for number in range(20))], of))


@pytest.mark.parametrize(
    ("second", "held", "valid"),
    [
        (GOOD, True, True),
        (LATE, False, True),
        (attempt(80.0, sent_ms=70.0), True, False),
    ],
    ids=["holds", "breaks", "the generator was late"],
)
def test_each_step_is_judged_by_its_own_calls(second: dict[str, Any], held: bool, valid: bool) -> None:  # noqa: FBT001 - a table
    """The first rate holds whatever the second does."""
    one, other = _step_run(second).steps
    assert (one.held, one.valid, one.signins) == (True, True, 10)
    assert (other.held, other.valid, other.signins) == (held, valid, 20)


@pytest.mark.parametrize(
    ("after_ms", "recovery_s"),
    [
        (lambda _: 12.0, 0.0),
        (lambda at_s: 400.0 if at_s < 2.7 else 12.0, 3.0),
        (lambda _: 400.0, None),
    ],
    ids=["at once", "after three seconds", "never"],
)
def test_recovery_counts_from_the_end_of_the_spike(
    after_ms: Callable[[float], float], recovery_s: float | None
) -> None:
    """The first second whose median is back to what it was before."""
    segments = spike(10.0, 15.0, 50.0, 2.0)
    of = plan(replace(CONFIG, profile="spike", rate_per_s=50.0, duration_s=15.0), *segments)
    before = [call(number / 10, GOOD) for number in range(50)]
    crowd = [call(5 + number / 50, attempt(500.0)) for number in range(100)]
    after = [call(7 + number / 10, attempt(after_ms(number / 10))) for number in range(80)]
    assert summarize(record([*before, *crowd, *after], of)).recovery_s == recovery_s


def test_drift_is_that_of_the_second_half() -> None:
    """What fills caches in the first half is no leak; what rises in the second is."""
    of = plan(replace(CONFIG, profile="soak", rate_per_s=1.0, duration_s=3600.0))
    calls = [call(float(second), attempt(10.0 + max(0, second - 1800) / 180)) for second in range(3600)]
    run = record(calls, of)
    run.memory = [
        MemorySample(at_s=float(at_s), resident_kb=50_000 + (at_s * 10 if at_s < 1800 else 18_000 + at_s - 1800))
        for at_s in range(0, 3600, 10)
    ]
    drift = summarize(run).drift
    assert drift is not None
    assert drift["memory_kb_per_hour"] == pytest.approx(3600)
    assert drift["p50_ms_per_hour"] == pytest.approx(20, rel=0.02)


def test_a_late_generator_does_not_reach_its_rate() -> None:
    """The rate is over the time that sending took."""
    calls = [call(number / 20, attempt(9000.0, sent_ms=8900.0)) for number in range(1200)]
    found = summarize(record(calls))
    assert found.achieved_rate_per_s == pytest.approx(1200 / (59.95 + 8.9), rel=1e-3)
    assert {fault.name for fault in found.faults} >= {"lateness", "rate"}


def test_the_sentence_is_the_verdict_in_words() -> None:
    """The bound is rounded up, so that it never looks better than it is."""
    calls = [call(number / 20, GOOD) for number in range(1200)]
    assert summarize(record(calls)).sentence == (
        "0 of 1,200 calls under load failed or took over 2,000 ms at the first attempt; "
        "with 99 % confidence, fewer than 0.39 % of calls fail or are late"
    )
    missed = summarize(record([*calls[1:], call(0.0, FAILED)])).sentence
    assert missed.startswith(
        "1 of 1,200 calls under load (0.083 %) failed or took over 2,000 ms at the first attempt; with 99 %"
    )


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"due_s": "0", "attempts": []},
        {"due_s": math.inf, "attempts": []},
        {"due_s": True, "attempts": []},
        {"due_s": 0.0},
        {"due_s": 0.0, "attempts": [1]},
        {"due_s": 0.0, "attempts": [GOOD, GOOD, GOOD]},
        {"due_s": 0.0, "attempts": [{**GOOD, "outcome": "fine"}]},
        {"due_s": 0.0, "attempts": [{**GOOD, "end_ms": None}]},
        {"due_s": 0.0, "attempts": [{**GOOD, "server_timing_ms": {"a": "1"}}]},
        {"due_s": 0.0, "attempts": [{**GOOD, "server_timing_ms": [1]}]},
    ],
)
def test_what_is_no_call_is_refused(line: dict[str, Any]) -> None:
    """A broken line is named, and leaves the columns as long as each other."""
    samples = Samples()
    with pytest.raises(LineError):
        samples.take(line)
    columns = (samples.due_s, samples.latency_ms, samples.outcomes, samples.lost)
    assert {len(column) for column in columns} == {0}


@settings(deadline=None)
@given(st.lists(st.sampled_from([GOOD, LATE, FAILED, SILENT]), max_size=60))
def test_nothing_is_lost_on_the_way(firsts: list[dict[str, Any]]) -> None:
    """Whatever the calls were, what comes out adds up to what went in."""
    found = summarize(record(call(number / 20, first) for number, first in enumerate(firsts)))
    assert sum(found.outcomes.values()) == found.counts.signins == len(firsts)
    told = [values.samples for values in (found.latency, found.failed_latency) if values is not None]
    assert sum(told) == len(firsts)

"""The flags of ``load``: what they mean, and a clear answer to what they cannot."""

import argparse

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.load.measured.statistics import upper_bound
from selftest.load.plan.arguments import add_load_arguments, duration_s, plan_of, short_plan
from selftest.load.plan.profiles import LoadPlan


def planned(*words: str, url: str | None = None) -> LoadPlan:
    """Read flags and make the plan."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.set_defaults(url=url)
    add_load_arguments(parser)
    return plan_of(parser.parse_args(words))


def test_the_defaults_are_a_minute_at_twenty() -> None:
    """1,200 calls under Entra's longest timeout and its one retry, and three cold starts of the local app."""
    plan = planned()
    config = plan.config
    assert (config.rate_per_s, config.duration_s, config.warmup_s, config.profile) == (20, 60, 5, "load")
    assert (config.budget_ms, config.timeout_ms, config.max_retries, config.max_in_flight) == (2000, 10_000, 1, 2000)
    assert (config.max_missed_share, plan.confidence, plan.cold_starts) == (0.01, 0.99, 3)
    assert planned(url="http://127.0.0.1:1").cold_starts == 0


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3600), ("500ms", 0.5), ("1.5m", 90), ("0", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    """A number alone is seconds."""
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "1d", "1 s", "1e3", "٣s", "99999999s", "nan"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """With an example of what is one."""
    with pytest.raises(argparse.ArgumentTypeError, match="such as 90, 90s, 5m or 1h"):
        duration_s(text)


def test_profiles_shape_the_run() -> None:
    """Soak is long, steps follow each other, a spike has a before and an after."""
    assert planned("--profile", "soak").config.duration_s == 1800
    steps = planned("--profile", "step", "--steps", "5,10", "--step-duration", "2s")
    assert [(each.rate_per_s, each.duration_s) for each in steps.segments] == [(5, 2), (10, 2)]
    assert (steps.config.rate_per_s, steps.config.duration_s) == (10, 4)
    assert planned("--steps", "5,10", "--step-duration", "2s") == steps
    assert planned("--spike", "100").config.profile == "spike"
    spike = planned("--profile", "spike", "--duration", "30", "--spike", "100", "--spike-duration", "4")
    assert [(each.rate_per_s, each.duration_s) for each in spike.segments] == [(20, 10), (100, 4), (20, 16)]
    assert (spike.config.rate_per_s, spike.config.duration_s) == (100, 30)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rate", "5001"], "more than 5000/s"),
        (["--duration", "25h"], "24 hours"),
        (["--rate", "5000", "--duration", "1h"], "5,000,000"),
        (["--timeout-ms", "1000"], "late responses could not be measured"),
        (["--profile", "step", "--duration", "9"], "--steps times --step-duration"),
        (["--steps", "5,10", "--spike", "100"], "choose one profile"),
        (["--profile", "soak", "--steps", "5,10"], "choose one profile"),
        (["--steps", "5,10", "--duration", "9"], "--steps times --step-duration"),
        (["--profile", "spike", "--duration", "6", "--spike-duration", "5"], "needs a longer run"),
    ],
)
def test_what_is_beyond_a_bound_is_refused(words: list[str], message: str) -> None:
    """The bound and the flag to change."""
    with pytest.raises(CannotRun, match=message):
        planned(*words)


def test_a_worker_elsewhere_is_not_started_cold() -> None:
    """--cold with --url is a contradiction."""
    with pytest.raises(CannotRun, match="cannot be started"):
        planned("--cold", "2", url="http://127.0.0.1:1")


@pytest.mark.parametrize(
    "words",
    [
        ["--rate", "0"],
        ["--rate", "-1"],
        ["--rate", "1e9"],
        ["--rate", "inf"],
        ["--duration", "0"],
        ["--steps", "10,5"],
        ["--steps", "10,10"],
        ["--steps", ""],
        ["--budget-ms", "199"],
        ["--budget-ms", "2001"],
        ["--retries", "2"],
        ["--max-missed-percent", "0"],
        ["--confidence", "100"],
        ["--max-in-flight", "0"],
        ["--seed", "-1"],
        ["--cold", "21"],
        ["--profile", "wave"],
        ["--arrivals", "bursts"],
    ],
)
def test_a_value_that_cannot_be_is_refused(words: list[str]) -> None:
    """By the parser, which names the flag."""
    with pytest.raises(argparse.ArgumentError, match=words[0]):
        planned(*words)


def test_the_short_load_proves_something_with_a_miss() -> None:
    """One call of the load in ``run`` may be missed without taking the proof away."""
    plan = short_plan(cold_starts=2)
    calls = round(plan.config.rate_per_s * plan.config.duration_s)
    assert upper_bound(1, calls, plan.confidence) <= plan.config.max_missed_share

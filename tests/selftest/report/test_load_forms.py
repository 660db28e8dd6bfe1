"""A load run in the reports and in the file: the verdict that it leads to, the figures, and nothing that does harm."""

import io
import json
import re
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from selftest.report.console import show
from selftest.report.decision import decide
from selftest.report.junit import junit
from selftest.report.load_result import LoadFault, LoadResult, LoadThreshold, RateStep
from selftest.report.results import CheckResult, Results
from selftest.report.stored import SCHEMA_PATH, ReportError, dump, parse
from tests.selftest.load.loads import FEW, GOOD_LOAD, GOOD_STEP, LATE_GENERATOR, SOAK, SPIKE, STEPS
from tests.selftest.report.sample import check, results

INVALID = replace(GOOD_LOAD, faults=(LATE_GENERATOR,))


def with_load(load: LoadResult, *checks: CheckResult, interrupted: bool = False) -> Results:
    """Make a run of these checks and this load."""
    run = results(*checks)
    return replace(run, load=load, verdict=decide(checks, (), load, interrupted=interrupted))


def shown(run: Results) -> str:
    """Print the report to a file."""
    stream = io.StringIO()
    show(run, Console(file=stream, width=120, color_system=None, highlight=False))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("run", "exit_code", "words"),
    [
        (with_load(GOOD_LOAD, check("L01")), 0, "PASS  1 check passed; 0 of 1,200 calls under load failed or took"),
        (with_load(GOOD_LOAD, check("L01", "fail")), 1, "FAIL  1 sign-in check failed, 0 checks passed; 0 of"),
        (
            with_load(INVALID, check("L02")),
            3,
            "the load is not valid: lateness 60 ms (p99), wanted 25 ms: lower --rate",
        ),
        (with_load(INVALID, check("T01", "fail")), 1, "FAIL"),
        (with_load(INVALID, check("L02"), interrupted=True), 130, "INTERRUPTED"),
    ],
    ids=["held", "broken", "not valid", "not valid, but something else fails", "interrupted"],
)
def test_the_verdict_of_a_load(run: Results, exit_code: int, words: str) -> None:
    """A run that is not valid passes nothing and fails nothing by itself."""
    assert run.verdict.exit_code == exit_code
    assert words in run.verdict.sentence


@pytest.mark.parametrize(
    "load", [GOOD_LOAD, INVALID, SOAK, STEPS, SPIKE], ids=["load", "invalid", "soak", "step", "spike"]
)
def test_a_load_fits_the_schema_and_reads_back(load: LoadResult) -> None:
    """What is written is what is described, and comes back as it was."""
    run = with_load(load, check("L01"))
    Draft202012Validator(json.loads(SCHEMA_PATH.read_bytes())).validate(json.loads(dump(run)))
    assert parse(dump(run).encode()) == run


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("latency", {"samples": 1}),
        ("counts", {}),
        ("curve", [[1]]),
        ("faults", [{"name": "mood"}]),
        ("missed_below", 2),
    ],
)
def test_a_broken_load_is_refused_by_its_place(member: str, value: object) -> None:
    """The message names the member."""
    document = with_load(GOOD_LOAD, check("L01")).as_json()
    document["load"][member] = value
    with pytest.raises(ReportError, match=r"\$\.load"):
        parse(json.dumps(document).encode())


def test_the_console_shows_the_verdict_figures_and_validity() -> None:
    """Percentiles from due time, counts, where the time went, cold starts, memory, the generator."""
    lines = shown(with_load(GOOD_LOAD, check("L01"))).rstrip().splitlines()
    assert lines[0].startswith("PASS")
    text = "\n".join(lines)
    for part in (
        "load  20/s for 60 s, constant arrivals; Entra's timeout 2,000 ms, 1 retry\n",
        "warm-up: 1,200 calls",
        "; not counted (it opens the connections)",
        "p50 12.5 ms   p90 20.0 ms   p99 31.0 ms   p99.9 90.0 ms   max 120 ms   (from each call's due time)",
        "ok 1,200   late 0   failed 0   unanswered in 10 s 0   retried 0   sign-ins lost 0",
        "p99  share of time  share in slowest 1 %",
        "60.0 %                80.0 %",
        "new processes of the app, from start to first answer: 760 ms (listening after 700 ms)",
        "memory of the app: 68.4 MB at the start",
        "generator: 20.0/s, 99 % sent within 1.8 ms of their due time, dropped 0: the measurement is valid",
    ):
        assert part in text


def test_the_console_shows_what_failed_by_code() -> None:
    """Late and failed are told apart, and so are the codes."""
    counts = replace(GOOD_LOAD.counts, minted=1190, lost=10, first_calls_missed=30)
    load = replace(
        GOOD_LOAD,
        counts=counts,
        outcomes={"minted": 1170, "1003005": 20, "1003002": 10},
        endings={"in-budget": 1170, "late": 20, "failed": 10},
        failed_latency=replace(FEW, samples=10),
    )
    text = shown(with_load(load, check("L01")))
    assert "ok 1,170   late 20   failed 10   unanswered in 10 s 0   retried 0   sign-ins lost 10" in text
    assert "(Entra would log 1003005 20, 1003002 10)" in text
    assert re.search(r"failed: p50 12.5 ms .+ \(fast failures: the time until a sign-in was lost\)", text)
    assert "(from each call's due time; without 10 that failed within Entra's timeout)" in text


def test_the_console_shows_steps_and_the_spike() -> None:
    """Each rate with what became of it, and how long the latency took to come back."""
    steps = (GOOD_STEP, replace(GOOD_STEP, held=False, lost=7), replace(GOOD_STEP, valid=False))
    text = shown(with_load(replace(STEPS, steps=steps), check("L06")))
    for words in ("0 lost: holds", "7 lost: does not hold", "0 lost: proves nothing"):
        assert words in text
    lost = replace(GOOD_STEP, held=False, lost=GOOD_STEP.signins, first_calls_missed=GOOD_STEP.signins)
    assert " ms of failures, " in shown(with_load(replace(STEPS, steps=(lost,)), check("L06")))
    assert "where the time of the failures went" in shown(with_load(replace(GOOD_LOAD, latency=None), check("L01")))
    assert "was back after 2 s" in shown(with_load(SPIKE, check("L07")))
    assert "was not back" in shown(with_load(replace(SPIKE, recovery_s=None), check("L07")))


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (
            (GOOD_STEP, replace(GOOD_STEP, rate_per_s=100.0)),
            "100 sign-ins a second hold, the highest rate that was tried: the limit is above it",
        ),
        (
            (GOOD_STEP, replace(GOOD_STEP, rate_per_s=100.0, held=False), replace(GOOD_STEP, rate_per_s=200.0)),
            "50 sign-ins a second hold, 100 do not",
        ),
        ((replace(GOOD_STEP, held=False), GOOD_STEP), "none of the rates that were tried holds"),
        (
            (replace(GOOD_STEP, valid=False), GOOD_STEP),
            "nothing is proved: at 50 a second the generator was late or dropped calls",
        ),
        (
            (GOOD_STEP, replace(GOOD_STEP, rate_per_s=100.0, valid=False)),
            "50 sign-ins a second hold; at 100 a second the generator was late or dropped calls, which proves nothing",
        ),
        ((), "no rate was tried"),
    ],
)
def test_a_step_run_says_what_holds(steps: tuple[RateStep, ...], words: str) -> None:
    """What holds above a rate that does not is no find, and the highest that was tried is not the limit."""
    assert replace(STEPS, steps=steps).sentence == words


LATE = "failed or took over 2,000 ms at the first attempt"


@pytest.mark.parametrize(
    ("missed", "below", "above", "words"),
    [
        (
            0,
            0.00383,
            0.0,
            f"0 of 1,200 calls under load {LATE}; with 99 % confidence, fewer than 0.39 % of calls fail or are late",
        ),
        (
            3,
            0.0084,
            0.0004,
            f"3 of 1,200 calls under load (0.25 %) {LATE}; with 99 % confidence, fewer than",
        ),
        (
            300,
            0.28,
            0.22,
            f"300 of 1,200 calls under load (25 %) {LATE}; with 99 % confidence, at least 22",
        ),
        (
            1200,
            1.0,
            0.996,
            f"1,200 of 1,200 calls under load (100 %) {LATE}; with 99 % confidence, at least 99.6",
        ),
        (1199, 1.0, 0.995, "1,199 of 1,200 calls under load (99.9 %) failed or took"),
    ],
)
def test_what_was_seen_comes_before_what_it_proves(missed: int, below: float, above: float, words: str) -> None:
    """The bound is on the side that was proved, and never one that is true of everything."""
    counts = replace(GOOD_LOAD.counts, first_calls_missed=missed)
    load = replace(GOOD_LOAD, counts=counts, missed_below=below, missed_above=above)
    assert load.sentence.startswith(words)
    assert "100.00 %" not in load.sentence


def test_a_bound_that_proves_nothing_is_left_out() -> None:
    """With one call that missed, and with none at all."""
    nothing = replace(GOOD_LOAD, missed_below=1.0, missed_above=0.0)
    assert nothing.sentence == "0 of 1,200 calls under load failed or took over 2,000 ms at the first attempt"


CROSSED = replace(
    GOOD_LOAD,
    thresholds=(
        LoadThreshold(expression="p95<20", measured="22 ms", held=False),
        LoadThreshold(expression="errors<1%", measured="0 %", held=True),
    ),
)


def test_a_crossed_threshold_fails_the_run_in_every_form() -> None:
    """Exit code 1; the verdict, the console and JUnit name it with its value."""
    run = with_load(CROSSED, check("L01"))
    assert run.verdict.exit_code == 1
    assert run.verdict.sentence.startswith("FAIL  1 check passed; threshold p95<20 crossed: 22 ms; 0 of 1,200")
    text = shown(run)
    assert "threshold p95<20: 22 ms, crossed" in text
    assert "threshold errors<1%: 0 %\n" in text
    suite = fromstring(junit(run)).find("testsuite[@name='load']")  # noqa: S314 - our own document, just written
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None] == ["p95<20"]
    assert parse(dump(run).encode()) == run


def test_a_late_generator_crosses_no_threshold() -> None:
    """But too few calls for a proof are enough for a threshold."""
    late = with_load(replace(CROSSED, faults=(LATE_GENERATOR,)), check("L01"))
    assert late.verdict.exit_code == 3
    assert '<skipped message="measured 22 ms" />' in junit(late)
    few = with_load(replace(CROSSED, faults=(replace(LATE_GENERATOR, name="samples"),)), check("L01"))
    assert few.verdict.exit_code == 1


def test_an_invalid_run_says_so_where_the_figures_are() -> None:
    """Nobody reads percentiles of a late generator without being told."""
    assert "the measurement is NOT valid (lateness 60 ms (p99), wanted 25 ms)" in shown(
        with_load(INVALID, check("L02"))
    )


def test_junit_has_the_figures_as_properties() -> None:
    """Of a suite of their own, whose case says whether they are valid; some readers refuse a suite without cases."""
    root = fromstring(junit(with_load(GOOD_LOAD, check("L01"))))  # noqa: S314 - our own document, just written
    suite = root.find("testsuite[@name='load']")
    assert suite is not None
    values = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert (values["p99_ms"], values["lost"], values["valid"]) == ("31.0", "0", "true")
    assert (suite.get("tests"), root.get("tests")) == ("1", "2")
    (case,) = fromstring(junit(with_load(INVALID))).iter("testcase")  # noqa: S314 - see above
    skipped = case.find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "not valid: lateness 60 ms (p99), wanted 25 ms"


def test_hostile_names_stay_text() -> None:
    """Names of phases and codes come from the endpoint or from a file."""
    hostile = replace(
        GOOD_LOAD,
        outcomes={"minted": 1, "\x1b[31m<b>\u202e": 1},
        faults=(LoadFault(name="rate", measured="\x1b]0;x\x07", limit="1", recommendation="<script>"),),
    )
    text = shown(with_load(hostile, check("L01")))
    assert not any(character in text for character in "\x1b\x07\u202e")
    fromstring(junit(with_load(hostile, check("L01"))))  # noqa: S314 - see above

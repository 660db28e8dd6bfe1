"""Runs for the tests of the page: made up, whole, and the same each time."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from selftest.checks import REGISTRY
from selftest.judge.statement import Status
from selftest.report.decision import decide
from selftest.report.html.page import page
from selftest.report.load_result import LoadFault, LoadResult, LoadThreshold, MemorySample, RateStep
from selftest.report.results import CheckResult, Results, RunVerdict, SignInResult
from tests.selftest.report.html.load_results import config, load, points

_REASONS = {
    "C97": "only rising rates show it: `load --profile step`",
    "C98": "only a spike shows it: `load --profile spike`",
}


def checks(*, failing: frozenset[str] = frozenset(), skipped: frozenset[str] = frozenset()) -> tuple[CheckResult, ...]:
    """Make a result of every check that there is."""
    rng = random.Random(7)  # noqa: S311 - the same numbers each time
    made = []
    for check in sorted(REGISTRY.values(), key=lambda check: check.order):
        status: Status = "fail" if check.id in failing else "skip" if check.id in skipped else "pass"
        made.append(
            CheckResult(
                id=check.id,
                title=check.title,
                level=check.level,
                status=status,
                expected="HTTP 401",
                actual=_actual(check.id, status),
                why=check.why,
                fix=check.fix,
                source=check.source,
                curl=None if status == "skip" else "curl -i -X POST http://127.0.0.1:41381/api/onTokenIssuanceStart",
                latency_ms=None if status == "skip" else rng.uniform(0.6, 4),
                duration_ms=rng.uniform(1, 40),
                let_in=None if status == "skip" or check.id[0] != "T" else status == "fail",
            )
        )
    return tuple(made)


def _actual(check_id: str, status: Status) -> str:
    if status == "skip":
        return _REASONS.get(check_id, "the app runs elsewhere")
    return "HTTP 200" if status == "fail" else "HTTP 401"


def signins(*, lost: bool = False) -> tuple[SignInResult, ...]:
    """Make a sign-in of some kinds of user."""
    titles = (
        "a member of a workforce tenant",
        "a guest invited from another tenant",
        "a member synchronized from a domain controller",
        "a customer with a local account, without mail",
        "a customer with a social account, without a userPrincipalName",
        "a member whose app asks for an access token to another API",
        "a member who signs in to a SAML app",
    )
    made = [
        SignInResult(
            variety=f"variety-{index}",
            title=title,
            code=None,
            name=None,
            minted=True,
            reason="one action",
            attempts=1,
            latency_ms=0.7 + index / 10,
        )
        for index, title in enumerate(titles)
    ]
    if lost:
        late = replace(made[0], code=1003005, name="CustomExtensionTimedOut", minted=False, reason="no answer in 2 s")
        made[0] = replace(late, attempts=2, latency_ms=4003.0, warnings=("the policy does not name 'Role'",))
    return tuple(made)


def run(
    found: tuple[CheckResult, ...] = (),
    signed_in: tuple[SignInResult, ...] = (),
    measured: LoadResult | None = None,
    *,
    interrupted: bool = False,
    verdict: RunVerdict | None = None,
) -> Results:
    """Put a run together."""
    return Results(
        tool={"name": "entra-selftest", "version": "0.1.0"},
        environment={"python": "3.13.9", "platform": "Linux x86_64", "processors": "2"},
        target={
            "url": "http://127.0.0.1:41381/api/onTokenIssuanceStart",
            "mode": "the local app, emulated Entra",
        },
        started_at="2026-01-02T03:04:05+00:00",
        duration_s=81.3,
        strict=False,
        checks=found,
        verdict=verdict or decide(found, signed_in, interrupted=interrupted),
        signins=signed_in,
        load=measured,
    )


@cache
def held() -> Results:
    """Make the run that everybody hopes for, with the skips that every run of everything has."""
    skipped = frozenset({"C95", "C96", "C97", "C98"})
    sentence = (
        f"PASS  {len(REGISTRY) - len(skipped)} checks passed, 4 skipped, 7 of 7 sign-ins got a token; "
        "0 of 1,200 calls under load failed or took over 2,000 ms at the first attempt; "
        "with 99 % confidence, fewer than 0.39 % of calls fail or are late"
    )
    verdict = RunVerdict(outcome="held", exit_code=0, sentence=sentence, counts={})
    return run(checks(skipped=skipped), signins(), load(points(1200, 60), config()), verdict=verdict)


@cache
def failing() -> Results:
    """Make a run in which some of everything fails, also under load."""
    found = checks(
        failing=frozenset({"T30", "T31", "C01", "B22", "F03", "F33", "F75"}), skipped=frozenset({"C95", "C96"})
    )
    return run(found, signins(lost=True), load(points(1200, 60, slow=0.02, failed=0.01), config()))


@cache
def invalid() -> Results:
    """Make a run whose generator was late."""
    faults = (
        LoadFault(
            name="lateness",
            measured="99 % of the calls left within 63 ms",
            limit="25 ms",
            recommendation="Lower --rate or use a quieter machine.",
        ),
        LoadFault(name="samples", measured="200 calls", limit="459 calls", recommendation="Needs 259 more calls."),
    )
    verdict = RunVerdict(
        outcome="no-evidence", exit_code=3, sentence="INCONCLUSIVE  the load run is not valid", counts={"pass": 0}
    )
    return run(measured=load(points(200, 10), config(duration_s=10), faults=faults), verdict=verdict)


@cache
def soak() -> Results:
    """Make a long run with its memory."""
    asked = config(profile="soak", duration_s=1800)
    memory = tuple(
        MemorySample(at_s=10.0 * index, resident_kb=int(88_000 + 9_000 * (1 - math.exp(-index / 12)) + 3 * index))
        for index in range(181)
    )
    drift = {"memory_kb_per_hour": 1080.0, "p50_ms_per_hour": 0.02}
    return run(signed_in=signins(), measured=load(points(6000, 1800), asked, memory=memory, drift=drift))


@cache
def steps() -> Results:
    """Make a run of growing rates, the last of which does not hold."""
    made = tuple(
        RateStep(
            rate_per_s=rate,
            seconds=10,
            signins=int(rate * 10),
            lost=12 if rate == 400 else 0,
            first_calls_missed=90 if rate == 400 else 0,
            p50_ms=24 + rate / 10,
            p99_ms=60 + rate * rate / 60,
            held=rate != 400,
            valid=rate != 200,
        )
        for rate in (10.0, 50.0, 100.0, 200.0, 400.0)
    )
    asked = config(profile="step", rate_per_s=400, duration_s=50)
    return run(measured=load(points(2000, 50, slow=0.02), asked, steps=made, cold_starts=()))


@cache
def interrupted() -> Results:
    """Make a run that was stopped after some checks."""
    return run(checks()[:40], signins(), interrupted=True)


@cache
def only_checks() -> Results:
    """Make a run of all checks and nothing else."""
    return run(checks())


@cache
def only_load() -> Results:
    """Make a load run and nothing else."""
    verdict = RunVerdict(
        outcome="held",
        exit_code=0,
        sentence="PASS  0 of 1,200 calls under load failed or were late; with 99 % confidence, fewer than 0.39 % are",
        counts={},
    )
    return run(measured=load(points(1200, 60), config()), verdict=verdict)


@cache
def broken_from_the_start() -> Results:
    """Make a load run in which every call was refused."""
    made = tuple(replace(point, latency_ms=1.0, outcome="failed") for point in points(500, 10))
    verdict = RunVerdict(outcome="broken", exit_code=1, sentence="FAIL  500 of 500 sign-ins lost", counts={})
    return run(measured=load(made, config(duration_s=10), cold_starts=(), phases=()), verdict=verdict)


@cache
def dead() -> Results:
    """Make a load run in which no connection was opened, judged by thresholds of the user's."""
    measured = broken_from_the_start().load
    assert measured is not None
    thresholds = tuple(
        LoadThreshold(expression=expression, measured=value, held=False)
        for expression, value in (("p95<300", "no value"), ("errors<1%", "100 %"))
    )
    found = replace(measured, outcomes={"1003027": 500}, thresholds=thresholds)
    return run(measured=found, verdict=decide((), (), found))


@cache
def nothing() -> Results:
    """Make a run that found nothing."""
    return run()


ALL = {
    make.__name__: make
    for make in (
        held,
        failing,
        invalid,
        soak,
        steps,
        interrupted,
        only_checks,
        only_load,
        broken_from_the_start,
        dead,
        nothing,
    )
}


@cache
def written(make: Callable[[], Results]) -> str:
    """Write the page of a run, once."""
    return page(make())

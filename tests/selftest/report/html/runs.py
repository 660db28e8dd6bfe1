"""Runs for the tests of the page: made up, whole, and the same each time."""

import math
import random
from dataclasses import replace
from functools import cache

from selftest.checks import REGISTRY
from selftest.report.load_result import (
    AttemptOutcome,
    ColdStart,
    Fault,
    LoadConfig,
    LoadCounts,
    LoadResult,
    MemorySample,
    Percentiles,
    Phase,
    Point,
    Slice,
    Step,
)
from selftest.report.results import CheckResult, Results, SignInResult, Status, Verdict, decide

_SHARES = (*(n / 100 for n in range(100)), 0.995, 0.999, 0.9995, 1.0)


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
        "a member synchronised from a domain controller",
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


def percentiles(latencies_ms: list[float]) -> Percentiles:
    """Take percentiles by nearest rank."""
    ordered = sorted(latencies_ms)

    def at(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Percentiles(
        samples=len(ordered),
        p50_ms=at(0.5),
        p90_ms=at(0.9),
        p95_ms=at(0.95),
        p99_ms=at(0.99),
        p99_9_ms=at(0.999),
        max_ms=ordered[-1],
    )


def config(**changes: object) -> LoadConfig:
    """Say what was asked for."""
    asked = LoadConfig(
        profile="load",
        rate_per_s=20,
        duration_s=60,
        warmup_s=5,
        arrivals="constant",
        budget_ms=2000,
        timeout_ms=10000,
        max_retries=1,
        max_in_flight=2000,
        seed=1,
    )
    return replace(asked, **changes)  # type: ignore[arg-type] # the fields of LoadConfig, chosen by the test


def points(calls: int, duration_s: float, *, slow: float = 0.0, failed: float = 0.0) -> tuple[Point, ...]:
    """Make calls: most around 30 ms, a share over the budget, a share that fails."""
    rng = random.Random(3)  # noqa: S311 - the same numbers each time
    made = []
    for index in range(calls):
        latency_ms = rng.lognormvariate(math.log(28), 0.42)
        outcome: AttemptOutcome = "in-budget"
        if rng.random() < 0.012:
            latency_ms *= rng.uniform(3, 11)
        drawn = rng.random()
        if drawn < slow:
            latency_ms, outcome = rng.uniform(2001, 4200), "late"
        elif drawn < slow + failed:
            outcome = "failed"
        elif drawn > 1 - slow / 10:
            latency_ms, outcome = 10000.0, "unanswered"
        made.append(Point(due_s=index * duration_s / calls, latency_ms=latency_ms, outcome=outcome))
    return tuple(made)


def load(made: tuple[Point, ...], asked: LoadConfig, **changes: object) -> LoadResult:
    """Summarise calls."""
    good = [point.latency_ms for point in made if point.outcome == "in-budget"]
    missed = [point.latency_ms for point in made if point.outcome != "in-budget"]
    ordered = sorted(point.latency_ms for point in made if point.outcome != "unanswered")
    outcomes = {"minted": len(good)}
    for outcome, code in (("late", "late"), ("failed", "1003002"), ("unanswered", "1003005")):
        calls = sum(point.outcome == outcome for point in made)
        outcomes |= {code: calls} if calls else {}
    lost = len(missed) // 9
    result = LoadResult(
        config=asked,
        counts=LoadCounts(
            signins=len(made),
            minted=len(made) - lost,
            lost=lost,
            dropped=0,
            first_calls_missed=len(missed),
            retries=len(missed),
        ),
        outcomes=outcomes,
        latency=percentiles(good) if good else None,
        missed_latency=percentiles(missed) if missed else None,
        service=percentiles([latency_ms * 0.98 for latency_ms in good]) if good else None,
        lateness=percentiles([latency_ms / 30 for latency_ms in good]) if good else None,
        achieved_rate_per_s=asked.rate_per_s,
        confidence=0.99,
        missed_below=0.0039 if not missed else 1.4 * len(missed) / len(made),
        curve=tuple((share, ordered[max(0, math.ceil(share * len(ordered)) - 1)]) for share in _SHARES),
        points=made,
        slices=_slices(made, asked.duration_s),
        phases=PHASES,
        cold_starts=COLD_STARTS,
    )
    return replace(result, **changes)  # type: ignore[arg-type] # the fields of LoadResult, chosen by the test


def _slices(made: tuple[Point, ...], duration_s: float, number: int = 30) -> tuple[Slice, ...]:
    length_s = duration_s / number
    cut = [[point for point in made if int(point.due_s / length_s) == index] for index in range(number)]
    return tuple(
        Slice(
            start_s=index * length_s,
            seconds=length_s,
            calls=len(piece),
            missed=sum(point.outcome != "in-budget" for point in piece),
            p50_ms=percentiles([point.latency_ms for point in piece]).p50_ms,
            p99_ms=percentiles([point.latency_ms for point in piece]).p99_ms,
            max_ms=max(point.latency_ms for point in piece),
            lateness_max_ms=0.9 + (index * 7 % 11) / 6,
        )
        for index, piece in enumerate(cut)
        if piece
    )


def _phase(name: str, mean_share: float, slowest_share: float) -> Phase:
    return Phase(
        name=name,
        calls=1200,
        p50_ms=30 * mean_share,
        p99_ms=170 * slowest_share,
        mean_share=mean_share,
        slowest_share=slowest_share,
    )


PHASES = (
    _phase("provider", 0.69, 0.46),
    _phase("downstream_call", 0.12, 0.09),
    _phase("network and host", 0.1, 0.38),
    _phase("token", 0.04, 0.03),
    _phase("downstream_token", 0.01, 0.01),
    _phase("body", 0.02, 0.01),
    _phase("keys", 0.01, 0.01),
    _phase("reply", 0.01, 0.01),
)
COLD_STARTS = tuple(
    ColdStart(
        listening_ms=1180 + 40 * index,
        indexed_ms=1120 + 40 * index,
        answered_ms=1280 + 66 * index,
        minted=True,
    )
    for index in range(3)
)


def run(
    found: tuple[CheckResult, ...] = (),
    signed_in: tuple[SignInResult, ...] = (),
    measured: LoadResult | None = None,
    *,
    interrupted: bool = False,
    verdict: Verdict | None = None,
) -> Results:
    """Put a run together."""
    return Results(
        tool={"name": "entra-claims-endpoint", "version": "0.1.0"},
        environment={"python": "3.13.9", "platform": "Linux x86_64", "processors": "2"},
        target={
            "url": "http://127.0.0.1:41381/api/onTokenIssuanceStart",
            "mode": "the app of this checkout, emulated Entra",
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
        "PASS  323 checks hold, 4 skipped, 7 of 7 sign-ins minted; 1,200 calls, 0 over 2,000 ms: with 99 % confidence "
        "fewer than 0.39 % miss"
    )
    verdict = Verdict(outcome="held", exit_code=0, sentence=sentence, counts={})
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
        Fault(
            name="lateness",
            measured="99 % of the calls left within 63 ms",
            limit="25 ms",
            recommendation="Lower --rate or use a quieter machine.",
        ),
        Fault(name="samples", measured="200 calls", limit="459 calls", recommendation="Needs 259 more calls."),
    )
    verdict = Verdict(
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
        Step(
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
    verdict = Verdict(
        outcome="held",
        exit_code=0,
        sentence="PASS  0 of 1,200 calls over 2,000 ms: below 0.39 % with 99 % confidence",
        counts={},
    )
    return run(measured=load(points(1200, 60), config()), verdict=verdict)


@cache
def broken_from_the_start() -> Results:
    """Make a load run in which no call was good."""
    made = tuple(replace(point, latency_ms=1.0, outcome="failed") for point in points(500, 10))
    verdict = Verdict(outcome="broken", exit_code=1, sentence="FAIL  500 of 500 sign-ins lost", counts={})
    return run(measured=load(made, config(duration_s=10), cold_starts=(), phases=()), verdict=verdict)


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
        nothing,
    )
}

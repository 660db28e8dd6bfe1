"""Write a load run as lines of text: what was sent, what was received, whether the run is valid."""

from collections.abc import Iterator

from selftest.judge.app_cause import explained
from selftest.report.load_result import LoadResult, Percentiles


def load_lines(load: LoadResult) -> Iterator[str]:
    """Return the lines of the report, without color."""
    config = load.config
    rule = f"Entra's timeout {config.budget_ms:,} ms, {_retries(config.max_retries)}"
    yield f"{_shape(load)}, {config.arrivals} arrivals; {rule}"
    if load.warmup is not None:
        warmup = load.warmup
        times = f"p50 {_ms(warmup.p50_ms)}, max {_ms(warmup.max_ms)}"
        yield f"  warm-up: {warmup.samples:,} calls, {times}; not counted (it opens the connections)"
    if load.latency is not None:
        yield f"  {percentile_line(load.latency)}   ({population(load)})"
    if load.failed_latency is not None:
        yield f"  failed: {percentile_line(load.failed_latency)}     (fast failures: the time until a sign-in was lost)"
    yield f"  {_counts(load)}"
    yield from (f"  {line}" for line in cause_lines(load))
    for threshold in load.thresholds:
        yield f"  threshold {threshold.expression}: {threshold.measured}{'' if threshold.held else ', crossed'}"
    yield from _steps(load)
    yield from _phases(load)
    if load.cold_starts:
        text = ", ".join(
            f"{_ms(start.answered_ms)} (listening after {_ms(start.listening_ms)})" for start in load.cold_starts
        )
        yield f"  new processes of the app, from start to first answer: {text}"
    if load.memory:
        first_mb, last_mb = load.memory[0].resident_kb / 1024, load.memory[-1].resident_kb / 1024
        yield f"  memory of the app: {first_mb:,.1f} MB at the start, {last_mb:,.1f} MB at the end"
    yield f"  {_generator(load)}"


def percentile_line(values: Percentiles) -> str:
    """Return the percentiles on one line."""
    named = (
        ("p50", values.p50_ms),
        ("p90", values.p90_ms),
        ("p99", values.p99_ms),
        ("p99.9", values.p99_9_ms),
        ("max", values.max_ms),
    )
    return "   ".join(f"{name} {_ms(value)}" for name, value in named)


def population(load: LoadResult) -> str:
    """Return what the percentiles are of."""
    unanswered, failed = load.endings.get("unanswered", 0), load.failed_latency.samples if load.failed_latency else 0
    waited = f"; {unanswered:,} unanswered count as {load.config.timeout_ms:,} ms" if unanswered else ""
    without = f"; without {failed:,} that failed within Entra's timeout" if failed else ""
    return f"from each call's due time{waited}{without}"


def cause_lines(load: LoadResult) -> Iterator[str]:
    """Return what the app's log says about the calls that missed, with how many calls, and what to do."""
    for cause in load.causes:
        calls = f"{cause.calls:,} call{'' if cause.calls == 1 else 's'}  " if cause.calls else ""
        (label, text), *more = explained((cause.line,))
        yield f"{label:<6} {calls}{text}"
        yield from (f"{label:<6} {text}" for label, text in more)


def _shape(load: LoadResult) -> str:
    config = load.config
    if config.profile == "step":
        return f"step  {', '.join(f'{step.rate_per_s:g}' for step in load.steps)} a second, one after the other"
    if config.profile == "spike" and len(load.steps) == 3:
        usual, spike, _ = load.steps
        return (
            f"spike  {usual.rate_per_s:g}/s for {config.duration_s:g} s, "
            f"{spike.rate_per_s:g}/s for {spike.seconds:g} s of it"
        )
    return f"{config.profile}  {config.rate_per_s:g}/s for {config.duration_s:g} s"


def _counts(load: LoadResult) -> str:
    ended = load.endings.get
    counts = (
        ("ok", ended("in-budget", 0)),
        ("late", ended("late", 0)),
        ("failed", ended("failed", 0)),
        (f"unanswered in {load.config.timeout_ms / 1000:g} s", ended("unanswered", 0)),
        ("retried", load.counts.retries),
        ("sign-ins lost", load.counts.lost),
    )
    text = "   ".join(f"{word} {number:,}" for word, number in counts)
    codes = [f"{code} {count:,}" for code, count in load.outcomes.items() if code != "minted"]
    return f"{text}   (Entra would log {', '.join(codes)})" if codes else text


def _steps(load: LoadResult) -> Iterator[str]:
    budget_ms = load.config.budget_ms
    for step in load.steps:
        word = "holds" if step.held and step.valid else "does not hold" if step.valid else "proves nothing"
        # Of calls that all missed, only failures end within the budget.
        of = " of failures" if step.first_calls_missed == step.signins and step.p50_ms <= budget_ms else ""
        yield (
            f"  {step.rate_per_s:g}/s for {step.seconds:g} s: p50 {_ms(step.p50_ms)}, p99 {_ms(step.p99_ms)}{of}, "
            f"{step.first_calls_missed:,} of {step.signins:,} failed or late, {step.lost:,} lost: {word}"
        )
    if load.config.profile == "spike":
        back = "was not back" if load.recovery_s is None else f"was back after {load.recovery_s:g} s"
        yield f"  after the spike the latency {back}"


def _phases(load: LoadResult) -> Iterator[str]:
    if not load.phases:
        return
    width = max(len(phase.name) for phase in load.phases)
    of = "" if load.latency is not None else " of the failures"
    heads = f"{'share of time':>15}{'share in slowest 1 %':>22}"
    yield f"  {f'where the time{of} went':<{width + 2}}  {'p50':>12}  {'p99':>12}{heads}"
    for phase in sorted(load.phases, key=lambda each: -each.mean_share):
        yield (
            f"    {phase.name:<{width}}  {phase.p50_ms:>9,.2f} ms  {phase.p99_ms:>9,.2f} ms"
            f"{phase.mean_share * 100:>13.1f} %{phase.slowest_share * 100:>20.1f} %"
        )


def _generator(load: LoadResult) -> str:
    late = "" if load.lateness is None else f"99 % sent within {_ms(load.lateness.p99_ms)} of their due time, "
    text = f"generator: {load.achieved_rate_per_s:.1f}/s, {late}dropped {load.counts.dropped:,}"
    if load.valid:
        return f"{text}: the measurement is valid"
    faults = "; ".join(f"{fault.name} {fault.measured}, wanted {fault.limit}" for fault in load.faults)
    return f"{text}: the measurement is NOT valid ({faults})"


def _retries(number: int) -> str:
    return "no retry" if not number else f"{number} retry" if number == 1 else f"{number} retries"


def _ms(value: float) -> str:
    return f"{value:,.1f} ms" if value < 100 else f"{value:,.0f} ms"

"""What the page shows of a load run: each picture with the sentence that says what is to be seen in it.

This is the one way from the page to the pictures, and so to matplotlib; a page without load does not go it.
"""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from selftest.judge.codes import CODES
from selftest.report.html.pictures.budget_bar import budget_bar
from selftest.report.html.pictures.cold_bars import cold_start_bars
from selftest.report.html.pictures.curve import Line, percentile_curve
from selftest.report.html.pictures.memory_line import memory_line
from selftest.report.html.pictures.phase_bars import phase_bar
from selftest.report.html.pictures.rates import latency_by_rate
from selftest.report.html.pictures.timeline import OUTCOMES, latency_over_time, thinned
from selftest.report.load_result import LoadResult, Percentiles, Phase
from selftest.report.units import count, kilobytes, milliseconds, percent, seconds

#: A shorter run says nothing about memory; its first and last figures stand in the environment.
_SHORTEST_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture and its text: the caption is shown, and is the picture's description as well."""

    picture: Markup
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One line of the legend of latency over time."""

    outcome: str
    label: str
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSection:
    """Everything that is drawn or reckoned for the page; None where the run has no figures for it."""

    budget: Figure | None
    curve: Figure | None
    timeline: Figure | None
    phases: list[Figure]
    phase_rows: list[Phase]
    rates: Figure | None
    cold: Figure | None
    memory: Figure | None
    indexed: bool
    legend: list[Mark]
    percentiles: list[tuple[str, Percentiles]]
    outcomes: list[tuple[str, str, int]]


def load_section(load: LoadResult) -> LoadSection:
    """Draw what there is."""
    return LoadSection(
        budget=_budget(load),
        curve=_curve(load),
        timeline=_timeline(load),
        phases=_phases(load),
        phase_rows=_by_share(load),
        rates=_rates(load),
        cold=_cold(load),
        memory=_memory(load),
        indexed=any(start.indexed_ms is not None for start in load.cold_starts),
        legend=_legend(load),
        percentiles=_percentiles(load),
        outcomes=[(name, _meaning(name), calls) for name, calls in load.outcomes.items()],
    )


def percentile_words(latency: Percentiles) -> str:
    """Say the percentiles that a sign-in depends on."""
    return (
        f"Half of the first calls took {milliseconds(latency.p50_ms)} or less, 99 % of them "
        f"{milliseconds(latency.p99_ms)}, the slowest {milliseconds(latency.max_ms)}"
    )


def _budget(load: LoadResult) -> Figure | None:
    if load.latency is None:
        return None
    words = f"{percentile_words(load.latency)}. Entra waits {milliseconds(load.config.budget_ms)}."
    return Figure(picture=budget_bar(load.latency, load.config.budget_ms, description=words), caption=words)


def _curve(load: LoadResult) -> Figure | None:
    if not load.curve:
        return None
    calls = load.counts.signins - load.counts.dropped
    words = (
        "How long the slowest tenth, hundredth and thousandth of all first calls that were answered took, good or not. "
        "Time counts from when a call was due."
    )
    line = Line(points=load.curve, calls=calls)
    picture = percentile_curve([line], load.config.budget_ms, name="curve", description=words)
    return Figure(picture=picture, caption=words)


def _timeline(load: LoadResult) -> Figure | None:
    if not load.points:
        return None
    shown = sum(map(len, thinned(load.points).values()))
    words = f"Each mark is a first call, by when it was due; {count(load.counts.first_calls_missed)} missed the budget."
    if shown < load.counts.signins:
        words += f" {count(shown)} of {count(load.counts.signins)} calls are drawn."
    return Figure(picture=latency_over_time(load, description=words), caption=words)


def _legend(load: LoadResult) -> list[Mark]:
    totals = {outcome: sum(point.outcome == outcome for point in load.points) for outcome in OUTCOMES}
    return [
        Mark(outcome=outcome, label=label, calls=totals[outcome])
        for outcome, (_, _, label) in OUTCOMES.items()
        if totals[outcome]
    ]


def _by_share(load: LoadResult) -> list[Phase]:
    """Put what takes most first: it has the strongest colour, and is what to look at."""
    return sorted(load.phases, key=lambda phase: -phase.mean_share)


def _phases(load: LoadResult) -> list[Figure]:
    if not load.phases:
        return []
    words = "The share of each phase in the time of these calls; the table below has the figures."
    rows = (
        ("phases-all", "all calls", [phase.mean_share for phase in _by_share(load)]),
        ("phases-slowest", "the slowest hundredth", [phase.slowest_share for phase in _by_share(load)]),
    )
    return [
        Figure(picture=phase_bar(shares, name=name, title=f"Phases of {who}", description=words), caption=who)
        for name, who, shares in rows
    ]


def _rates(load: LoadResult) -> Figure | None:
    if not load.steps:
        return None
    held = [step.rate_per_s for step in load.steps if step.held and step.valid]
    best = f"The highest rate that held is {max(held):g} a second." if held else "No rate held."
    words = f"Each bar goes from the median to the 99th percentile. {best}"
    return Figure(picture=latency_by_rate(load.steps, load.config.budget_ms, description=words), caption=words)


def _cold(load: LoadResult) -> Figure | None:
    if not load.cold_starts:
        return None
    listening = sorted(start.listening_ms for start in load.cold_starts)[len(load.cold_starts) // 2]
    answer = max(start.answered_ms - start.listening_ms for start in load.cold_starts)
    words = (
        f"A fresh worker listens after {milliseconds(listening)} (the median); its first answer then takes "
        f"{milliseconds(answer)} at most."
    )
    return Figure(picture=cold_start_bars(load.cold_starts, description=words), caption=words)


def _memory(load: LoadResult) -> Figure | None:
    if not load.memory:
        return None
    first, last = load.memory[0], load.memory[-1]
    if last.at_s - first.at_s < _SHORTEST_S:
        return None
    words = (
        f"From {kilobytes(first.resident_kb)} to {kilobytes(last.resident_kb)} in {seconds(last.at_s - first.at_s)}."
    )
    if load.drift is not None and "memory_kb_per_hour" in load.drift:
        words += f" Over the second half it changes by {kilobytes(load.drift['memory_kb_per_hour'])} an hour."
    return Figure(picture=memory_line(load.memory, description=words), caption=words)


def _percentiles(load: LoadResult) -> list[tuple[str, Percentiles]]:
    rows = (
        ("good, from when due", load.latency),
        ("missed, from when due", load.missed_latency),
        ("good, from when sent", load.service),
        ("sent late by", load.lateness),
    )
    return [(name, percentiles) for name, percentiles in rows if percentiles is not None]


def _meaning(outcome: str) -> str:
    """Say what Entra would log, where it is a code of Entra's."""
    code = CODES.get(int(outcome)) if outcome.isascii() and outcome.isdecimal() and len(outcome) < 9 else None
    return "" if code is None else code.name


def validity_words(load: LoadResult) -> str:
    """Say how well the generator kept its schedule."""
    late = ""
    if load.lateness is not None:
        late = f"99 % of the calls left within {milliseconds(load.lateness.p99_ms)} of when they were due, "
    return (
        f"{late}{load.achieved_rate_per_s:.4g} of {load.config.rate_per_s:g} a second were sent, "
        f"{count(load.counts.dropped)} dropped. With {percent(load.confidence)} confidence at most "
        f"{percent(load.missed_below)} of first calls miss the budget."
    )

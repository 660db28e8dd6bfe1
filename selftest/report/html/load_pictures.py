"""The pictures of a load run, each with the sentence that says what is to be seen in it.

This is the one way from the page to the pictures, and so to matplotlib, which an extra of the distribution installs.
"""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from selftest.report.html.pictures.budget_bar import budget_bar
from selftest.report.html.pictures.cold_bars import cold_start_bars
from selftest.report.html.pictures.curve import Line, percentile_curve
from selftest.report.html.pictures.memory_line import memory_line
from selftest.report.html.pictures.phase_bars import phase_bar
from selftest.report.html.pictures.rates import latency_by_rate
from selftest.report.html.pictures.timeline import OUTCOMES, latency_over_time, thinned
from selftest.report.load_result import LoadResult, Percentiles
from selftest.report.units import count, kilobytes, milliseconds, seconds

#: A shorter run says nothing about memory; its first and last figures are in the environment.
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
class LoadPictures:
    """Everything that is drawn for the page; None where the run has no figures for it."""

    budget: Figure | None
    curve: Figure | None
    timeline: Figure | None
    phases: list[Figure]
    rates: Figure | None
    cold: Figure | None
    memory: Figure | None
    legend: list[Mark]


def load_pictures(load: LoadResult) -> LoadPictures:
    """Draw what there is."""
    return LoadPictures(
        budget=_budget(load),
        curve=_curve(load),
        timeline=_timeline(load),
        phases=_phases(load),
        rates=_rates(load),
        cold=_cold(load),
        memory=_memory(load),
        legend=_legend(load),
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


def _phases(load: LoadResult) -> list[Figure]:
    if not load.phases:
        return []
    words = "The share of each phase in the time of these calls; the table below has the figures."
    rows = (
        ("phases-all", "all calls", [phase.mean_share for phase in load.phases_by_share]),
        ("phases-slowest", "the slowest hundredth", [phase.slowest_share for phase in load.phases_by_share]),
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

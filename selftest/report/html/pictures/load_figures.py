"""Draw every figure that a load run has values for, each with the sentence that says what it shows."""

from typing import Final

from selftest.report.html.figure import Figure, LegendEntry, LoadFigures
from selftest.report.html.pictures.curve import CurveLine, percentile_curve
from selftest.report.html.pictures.memory_line import memory_line
from selftest.report.html.pictures.rates import latency_by_rate
from selftest.report.html.pictures.timeline import OUTCOMES, latency_over_time, thinned
from selftest.report.load_result import LoadResult
from selftest.report.load_text import population
from selftest.report.units import count, kilobytes, seconds

#: A shorter run proves nothing about memory; the page lists its first and last values in the environment.
_SHORTEST_S: Final = 60


def draw(load: LoadResult) -> LoadFigures:
    """Return the figures of a load run."""
    return LoadFigures(
        curve=_curve(load), timeline=_timeline(load), legend=_legend(load), rates=_rates(load), memory=_memory(load)
    )


def _curve(load: LoadResult) -> Figure | None:
    if not load.curve:
        return None
    words = f"How long the slowest tenth, hundredth and thousandth of the calls took, {population(load)}."
    line = CurveLine(points=load.curve, calls=load.latency.samples if load.latency else load.calls)
    picture = percentile_curve([line], load.config.budget_ms, name="curve", description=words)
    return Figure(picture=picture, caption=words)


def _timeline(load: LoadResult) -> Figure | None:
    if not load.points:
        return None
    shown = sum(map(len, thinned(load.points).values()))
    missed = count(load.counts.first_calls_missed)
    words = f"Each mark is a call (no retry), by when it was due; {missed} failed or were late."
    if shown < load.counts.signins:
        words += f" {count(shown)} of {count(load.counts.signins)} calls are drawn."
    return Figure(picture=latency_over_time(load, description=words), caption=words)


def _legend(load: LoadResult) -> tuple[LegendEntry, ...]:
    return tuple(
        LegendEntry(outcome=outcome, label=label, calls=load.endings[outcome])
        for outcome, (_, _, label) in OUTCOMES.items()
        if load.endings.get(outcome)
    )


def _rates(load: LoadResult) -> Figure | None:
    if not load.steps:
        return None
    words = "Each bar goes from the median to the 99th percentile."
    if load.config.profile == "step":
        words += f" {load.sentence[:1].upper()}{load.sentence[1:]}."
    return Figure(picture=latency_by_rate(load.steps, load.config.budget_ms, description=words), caption=words)


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

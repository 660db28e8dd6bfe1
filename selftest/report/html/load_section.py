"""The load section of the page: figures, the values of the bars, and the rows of the tables.

Only the figures need matplotlib. Without it the page says so, and everything else is there.
"""

from dataclasses import dataclass
from typing import Final

from selftest.judge.codes import CODES
from selftest.report.html.figure import LoadFigures
from selftest.report.load_result import ColdStart, LoadResult, Percentiles, TimingPhase
from selftest.report.load_text import population
from selftest.report.units import count, milliseconds

#: Further cold starts are in the table only.
_MOST_BARS: Final = 12
_NO_PICTURES: Final = "The figures are not drawn because matplotlib is not installed. No verdict depends on it."


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSection:
    """Everything that is drawn or computed for the section.

    Attributes:
        budget_words: What the bar of the budget shows; None without a latency.
        population: What the percentiles are of.
        phases: The phases of a call, the largest share first.
        cold: The cold starts that have a bar.
        cold_words: What their bars show; None without a cold start.
        indexed: Whether the host reported when the app was indexed.
        outcomes: What Entra would log, its name, and the number of first calls.
    """

    figures: LoadFigures
    budget_words: str | None
    population: str
    phases: list[TimingPhase]
    cold: tuple[ColdStart, ...]
    cold_words: str | None
    indexed: bool
    percentiles: list[tuple[str, Percentiles]]
    outcomes: list[tuple[str, str, int]]


def load_section(load: LoadResult) -> LoadSection:
    """Return the section of a load run."""
    return LoadSection(
        figures=_figures(load),
        budget_words=_budget_words(load),
        population=population(load),
        phases=sorted(load.phases, key=lambda phase: -phase.mean_share),
        cold=load.cold_starts[:_MOST_BARS],
        cold_words=_cold_words(load),
        indexed=any(start.indexed_ms is not None for start in load.cold_starts),
        percentiles=_percentiles(load),
        outcomes=[(name, _meaning(name), calls) for name, calls in load.outcomes.items()],
    )


def no_pictures(error: ModuleNotFoundError) -> str:
    """Return the sentence for a page without figures.

    Raises:
        ModuleNotFoundError: The missing module is not matplotlib.
    """
    if (error.name or "").partition(".")[0] != "matplotlib":
        raise error
    return _NO_PICTURES


def _figures(load: LoadResult) -> LoadFigures:
    try:
        from selftest.report.html.pictures.load_figures import draw  # noqa: PLC0415 - imports matplotlib
    except ModuleNotFoundError as error:
        return LoadFigures(missing=no_pictures(error))
    return draw(load)


def _budget_words(load: LoadResult) -> str | None:
    if load.latency is None:
        return None
    return (
        f"Half of the calls took {milliseconds(load.latency.p50_ms)} or less, 99 % of them "
        f"{milliseconds(load.latency.p99_ms)}, the slowest {milliseconds(load.latency.max_ms)}. "
        f"Entra waits {milliseconds(load.config.budget_ms)}."
    )


def _cold_words(load: LoadResult) -> str | None:
    if not load.cold_starts:
        return None
    listening_ms = sorted(start.listening_ms for start in load.cold_starts)[len(load.cold_starts) // 2]
    answer_ms = max(start.answered_ms - start.listening_ms for start in load.cold_starts)
    return (
        f"A new process of the app listens after {milliseconds(listening_ms)} (the median); its first answer then "
        f"takes {milliseconds(answer_ms)} at most."
    )


def _percentiles(load: LoadResult) -> list[tuple[str, Percentiles]]:
    rows = (
        ("since due", load.latency),
        ("failed", load.failed_latency),
        ("since sent", load.service),
        ("sent late by", load.lateness),
    )
    return [(name, percentiles) for name, percentiles in rows if percentiles is not None]


def _meaning(outcome: str) -> str:
    """Return the name of an outcome that is a code of Entra's."""
    code = CODES.get(int(outcome)) if outcome.isascii() and outcome.isdecimal() and len(outcome) < 9 else None
    return "" if code is None else code.name


def validity_words(load: LoadResult) -> str:
    """Return how well the generator kept its schedule, and what the run proves."""
    late = ""
    if load.lateness is not None:
        late = f"99 % of the calls left within {milliseconds(load.lateness.p99_ms)} of when they were due, "
    return (
        f"{late}{load.achieved_rate_per_s:.4g} of {load.config.rate_per_s:g} a second were sent, "
        f"{count(load.counts.dropped)} dropped. {load.sentence[:1].upper()}{load.sentence[1:]}."
    )

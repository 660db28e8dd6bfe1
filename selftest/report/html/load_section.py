"""What the page shows of a load run: tables, words and, where matplotlib is installed, pictures."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from selftest.judge.codes import CODES
from selftest.report.load_result import LoadResult, Percentiles, Phase
from selftest.report.units import count, milliseconds, percent

if TYPE_CHECKING:
    from selftest.report.html.load_pictures import LoadPictures


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSection:
    """The content of the section.

    Attributes:
        pictures: None where matplotlib is not installed.
        indexed: Whether a cold start says when the app was indexed.
    """

    pictures: "LoadPictures | None"
    phase_rows: list[Phase]
    indexed: bool
    percentiles: list[tuple[str, Percentiles]]
    outcomes: list[tuple[str, str, int]]


def load_section(load: LoadResult) -> LoadSection:
    """Return what there is."""
    return LoadSection(
        pictures=_pictures(load),
        phase_rows=load.phases_by_share,
        indexed=any(start.indexed_ms is not None for start in load.cold_starts),
        percentiles=_percentiles(load),
        outcomes=[(name, _meaning(name), calls) for name, calls in load.outcomes.items()],
    )


def _pictures(load: LoadResult) -> "LoadPictures | None":
    if find_spec("matplotlib") is None:
        return None
    from selftest.report.html.load_pictures import load_pictures  # noqa: PLC0415 - half a second, for a picture alone

    return load_pictures(load)


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

"""The figures of a load run: what the page shows, whether or not they can be drawn."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture and its text. The caption is shown, and is the description of the picture as well."""

    picture: Markup
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """One line of the legend of latency over time."""

    outcome: str
    label: str
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFigures:
    """The figures of a load run; None where the run has no values for one.

    Attributes:
        legend: The outcomes of the calls in ``timeline``.
        missing: Why nothing could be drawn; empty if it could.
    """

    curve: Figure | None = None
    timeline: Figure | None = None
    legend: tuple[LegendEntry, ...] = ()
    rates: Figure | None = None
    memory: Figure | None = None
    missing: str = ""

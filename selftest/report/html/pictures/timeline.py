"""Draw latency over time: one mark for each first call, by how it ended, with Entra's timeout as a line.

Below it is the lateness of the generator, because calls that were sent late show the generator, not the endpoint.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup
from matplotlib.figure import Figure

from selftest.report.html.pictures.canvas import SENTINELS, MarkShape, Role, house_style, marks, new_figure, plot_area
from selftest.report.html.pictures.scales import FLOOR_MS, budget_line, latency_axis, run_axis
from selftest.report.html.pictures.svg import inline
from selftest.report.load_result import AttemptOutcome, LoadResult, Point
from selftest.report.units import milliseconds

#: More marks are not distinguishable and only make the page larger.
MOST_MARKS: Final = 1500
#: In the order in which they are drawn, the worst on top. Shapes differ, for readers who cannot distinguish the colors.
OUTCOMES: Final[dict[AttemptOutcome, tuple[MarkShape, Role, str]]] = {
    "in-budget": ("dot", "accent", "in time"),
    "dropped": ("square", "muted", "never sent"),
    "late": ("triangle", "warn", "late"),
    "failed": ("cross", "bad", "failed"),
    "unanswered": ("square", "bad", "no answer"),
}
_WIDTH_PX: Final = 520
_HEIGHT_PX: Final = 300
_STRIP_PX: Final = 30


def thinned(points: Sequence[Point]) -> dict[AttemptOutcome, list[Point]]:
    """Return the points to draw: at most `MOST_MARKS` of each outcome, evenly over the run, and always the slowest."""
    chosen: dict[AttemptOutcome, list[Point]] = {}
    for outcome in OUTCOMES:
        of_this = [point for point in points if point.outcome == outcome]
        step = max(1, -(-len(of_this) // MOST_MARKS))
        kept = of_this[::step]
        if step > 1:
            kept.append(max(of_this, key=lambda point: point.latency_ms))
        if kept:
            chosen[outcome] = kept
    return chosen


def latency_over_time(load: LoadResult, *, description: str) -> Markup:
    """Return a picture of the calls and, if the run has slices, of the lateness."""
    chosen = thinned(load.points)
    values = [point.latency_ms for points in chosen.values() for point in points]
    end_s = max([load.config.duration_s, *(point.due_s for point in load.points)])
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        strip = bool(load.slices)
        axes = plot_area(figure, left=62, right=20, top=26, bottom=34 + (_STRIP_PX + 30 if strip else 0))
        run_axis(axes, end_s)
        latency_axis(axes, min(values), max(*values, load.config.budget_ms))
        budget_line(axes, load.config.budget_ms)
        for outcome, points in chosen.items():
            shape, role, _ = OUTCOMES[outcome]
            alpha = 0.45 if outcome == "in-budget" else 1.0
            places = [(point.due_s, max(point.latency_ms, FLOOR_MS)) for point in points]
            marks(axes, places, shape=shape, role=role, alpha=alpha)
        if strip:
            axes.tick_params(axis="x", labelbottom=False)
            _lateness_strip(figure, load, end_s)
    return inline(figure, name="timeline", title="Latency over time", description=description)


def _lateness_strip(figure: Figure, load: LoadResult, end_s: float) -> None:
    axes = plot_area(figure, left=62, right=20, top=_HEIGHT_PX - 34 - _STRIP_PX, bottom=34)
    run_axis(axes, end_s)
    worst = max(piece.lateness_max_ms for piece in load.slices)
    axes.set_ylim(0, max(worst, 5.0))
    axes.set_yticks([])
    edges = [piece.start_s for piece in load.slices] + [load.slices[-1].start_s + load.slices[-1].seconds]
    heights = [piece.lateness_max_ms for piece in load.slices]
    axes.stairs(heights, edges, fill=True, color=SENTINELS["faint"])
    axes.annotate(
        f"calls sent late by at most {milliseconds(worst)}",
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 5),
        textcoords="offset points",
        ha="left",
    )

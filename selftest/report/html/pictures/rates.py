"""Draw latency at each rate of a step or spike profile: a bar from the median to the 99th percentile."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from selftest.report.html.pictures.canvas import SENTINELS, Role, house_style, marks, new_figure, plot_area
from selftest.report.html.pictures.scales import FLOOR_MS, budget_line, latency_axis
from selftest.report.html.pictures.svg import inline
from selftest.report.load_result import RateStep
from selftest.report.units import per_second

_WIDTH_PX: Final = 520
_HEIGHT_PX: Final = 260
#: More labels would overlap.
_MOST_LABELS: Final = 8


def step_role(step: RateStep) -> Role:
    """Return the color of a rate, by whether it held."""
    return "warn" if not step.valid else "accent" if step.held else "bad"


def latency_by_rate(steps: Sequence[RateStep], budget_ms: float, *, description: str) -> Markup:
    """Return a picture of the steps in the order in which they were run."""
    every = -(-len(steps) // _MOST_LABELS)
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        axes = plot_area(figure, left=62, right=20, top=26, bottom=34)
        axes.set_xlim(-0.6, len(steps) - 0.4)
        shown = range(0, len(steps), every)
        axes.set_xticks(list(shown), [per_second(steps[index].rate_per_s) for index in shown])
        latency_axis(axes, min(step.p50_ms for step in steps), max(budget_ms, *(step.p99_ms for step in steps)))
        budget_line(axes, budget_ms)
        for index, step in enumerate(steps):
            low, high = max(step.p50_ms, FLOOR_MS), max(step.p99_ms, FLOOR_MS)
            role = step_role(step)
            axes.vlines(index, low, high, color=SENTINELS[role], linewidth=7, alpha=0.35, capstyle="round")
            marks(axes, [(index, low), (index, high)], shape="dot" if step.held else "cross", role=role)
    return inline(figure, name="rates", title="Latency by rate", description=description)

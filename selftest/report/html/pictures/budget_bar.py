"""How much of the budget is used: the median, the 99th percentile and the slowest first call on a plain scale."""

from typing import Final

from markupsafe import Markup

from selftest.report.html.pictures.canvas import SENTINELS, house_style, new_figure, plot_area
from selftest.report.html.pictures.svg import inline
from selftest.report.load_result import Percentiles
from selftest.report.units import count

_WIDTH_PX: Final = 1080
_HEIGHT_PX: Final = 76


def budget_bar(latency: Percentiles, budget_ms: float, *, description: str) -> Markup:
    """Draw the bar from nothing to the budget, or to the slowest call where that is further."""
    end_ms = max(budget_ms, latency.max_ms) * 1.005
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        axes = plot_area(figure, left=2, right=2, top=24, bottom=24)
        axes.grid(visible=False)
        axes.set_axis_off()
        axes.set_xlim(0, end_ms)
        axes.set_ylim(0, 1)
        axes.barh(0.5, end_ms, height=1, color=SENTINELS["line"], alpha=0.6)
        for upper_ms, alpha in ((latency.max_ms, 0.25), (latency.p99_ms, 0.5), (latency.p50_ms, 1.0)):
            axes.barh(0.5, upper_ms, height=1, color=SENTINELS["accent"], alpha=alpha)
        axes.vlines(budget_ms, -0.25, 1.25, color=SENTINELS["bad"], linewidth=2.5, clip_on=False)
        axes.annotate(
            f"{count(int(budget_ms))} ms",
            (budget_ms, 1.25),
            xytext=(0, 4),
            textcoords="offset points",
            ha="right",
            color=SENTINELS["bad"],
            weight="bold",
        )
        axes.annotate("0", (0, -0.25), xytext=(0, -12), textcoords="offset points", ha="left")
    return inline(figure, name="budget", title="The budget and what was used of it", description=description)

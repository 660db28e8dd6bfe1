"""How much of the budget is used: the median, the 99th percentile and the slowest first call on a plain scale."""

from typing import Final

from markupsafe import Markup

from selftest.report.html.pictures.canvas import SENTINELS, house_style, new_figure, plot_area
from selftest.report.html.pictures.svg import inline
from selftest.report.load_result import Percentiles

#: Stretched by the page to its own width and height, which is why nothing is written in it.
_WIDTH_PX: Final = 1000
_HEIGHT_PX: Final = 20


def budget_bar(latency: Percentiles, budget_ms: float, *, description: str) -> Markup:
    """Draw the bar from nothing to the budget, or to the slowest call where that is further."""
    end_ms = max(budget_ms, latency.max_ms)
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        axes = plot_area(figure, left=0, right=0, top=0, bottom=0)
        axes.grid(visible=False)
        axes.set_axis_off()
        axes.set_xlim(0, end_ms)
        axes.set_ylim(0, 1)
        axes.barh(0.5, end_ms, height=1, color=SENTINELS["line"], alpha=0.6)
        for upper_ms, alpha in ((latency.max_ms, 0.25), (latency.p99_ms, 0.5), (latency.p50_ms, 1.0)):
            axes.barh(0.5, upper_ms, height=1, color=SENTINELS["accent"], alpha=alpha)
        line_ms = end_ms / _WIDTH_PX * 2.5
        axes.barh(0.5, line_ms, left=budget_ms - line_ms, height=1, color=SENTINELS["bad"])
    return inline(
        figure, name="budget", title="The budget and what was used of it", description=description, shape="stretched"
    )

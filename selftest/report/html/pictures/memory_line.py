"""Draw the endpoint's resident memory during a run: with a leak it keeps rising after the first minutes."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from selftest.report.html.pictures.canvas import SENTINELS, house_style, new_figure, plot_area
from selftest.report.html.pictures.scales import even_ticks, run_axis
from selftest.report.html.pictures.svg import inline
from selftest.report.load_result import MemorySample

_WIDTH_PX: Final = 520
_HEIGHT_PX: Final = 260
_MOST_POINTS: Final = 600


def memory_line(samples: Sequence[MemorySample], *, description: str) -> Markup:
    """Return a picture of the samples. The axis starts at zero, so that a small change looks small."""
    step = -(-len(samples) // _MOST_POINTS)
    drawn = samples[::step]
    mebibytes = [sample.resident_kb / 1024 for sample in drawn]
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        axes = plot_area(figure, left=62, right=20, top=16, bottom=34)
        run_axis(axes, max(samples[-1].at_s, 1))
        top = max(*mebibytes, 1.0) * 1.15
        axes.set_ylim(0, top)
        ticks = even_ticks(top)
        axes.set_yticks(ticks, [f"{tick:g} MiB" for tick in ticks])
        times = [sample.at_s for sample in drawn]
        axes.fill_between(times, mebibytes, color=SENTINELS["accent"], alpha=0.12, linewidth=0)
        axes.plot(times, mebibytes, color=SENTINELS["accent"], linewidth=2.2)
    return inline(figure, name="memory", title="Memory of the endpoint", description=description)

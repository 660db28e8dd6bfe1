"""Cold starts: for each fresh worker process how long it took to listen, and from there to its first answer."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from selftest.report.html.pictures.canvas import SENTINELS, Role, house_style, new_figure, plot_area
from selftest.report.html.pictures.scales import millisecond_ticks
from selftest.report.html.pictures.svg import inline
from selftest.report.load_result import ColdStart

#: More starts than these are told by the page's figures.
MOST_BARS: Final = 12
_WIDTH_PX: Final = 520
_ROW_PX: Final = 24


def cold_start_bars(starts: Sequence[ColdStart], *, description: str) -> Markup:
    """Draw one bar a start, in the order in which they were made."""
    drawn = starts[:MOST_BARS]
    end_ms = max(start.answered_ms for start in drawn) * 1.04
    with house_style():
        figure = new_figure(_WIDTH_PX, 46 + _ROW_PX * len(drawn))
        axes = plot_area(figure, left=30, right=26, top=6, bottom=34)
        axes.grid(visible=False)
        axes.grid(visible=True, axis="x")
        axes.spines["bottom"].set_visible(False)
        millisecond_ticks(axes, end_ms)
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.set_yticks(range(len(drawn)), [str(index + 1) for index in range(len(drawn))])
        for index, start in enumerate(drawn):
            answer_ms = start.answered_ms - start.listening_ms
            role: Role = "accent" if start.minted else "bad"
            axes.barh(index, start.listening_ms, height=0.56, color=SENTINELS["faint"])
            axes.barh(index, answer_ms, left=start.listening_ms, height=0.56, color=SENTINELS[role])
    return inline(figure, name="cold", title="Cold starts", description=description, shape="low")

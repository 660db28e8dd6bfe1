"""Where the time went: the phases of a typical call and of the slowest hundredth, as two bars of shares.

The names of the phases come from the endpoint's header, so they are not in the picture: the page names them beside it,
each with the colour of its piece.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from selftest.report.html.pictures.canvas import SENTINELS, house_style, new_figure, plot_area
from selftest.report.html.pictures.svg import inline
from selftest.report.load_result import Phase

#: One hue from strong to faint: neighbours differ, and no piece looks like a verdict. The page has the same steps.
STEPS: Final = (1.0, 0.72, 0.5, 0.34, 0.22, 0.14)
_WIDTH_PX: Final = 1080
_HEIGHT_PX: Final = 124
_GAP_PX: Final = 2


def phase_bars(phases: Sequence[Phase], *, description: str) -> Markup:
    """Draw both bars."""
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        axes = plot_area(figure, left=0, right=0, top=18, bottom=0)
        axes.grid(visible=False)
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.5, 1.55)
        axes.set_axis_off()
        rows = (
            (1, "all calls", [phase.mean_share for phase in phases]),
            (0, "the slowest hundredth", [phase.slowest_share for phase in phases]),
        )
        for y, label, shares in rows:
            axes.text(0, y + 0.28, label, ha="left", va="bottom")
            left = 0.0
            for index, share in enumerate(shares):
                width = max(share - _GAP_PX / _WIDTH_PX, 0)
                axes.barh(y, width, left=left, height=0.46, color=SENTINELS["accent"], alpha=step_of(index))
                left += share
    return inline(figure, name="phases", title="Where the time went", description=description)


def step_of(index: int) -> float:
    """Give the opacity of the piece with this place; after the last step the faintest is used again."""
    return STEPS[min(index, len(STEPS) - 1)]

"""Where the time went: the shares of the phases as one bar, once for a typical call and once for the slowest hundredth.

The names of the phases come from the endpoint's header, so they are not in the picture: the page names them beside it,
each with the colour of its piece.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from selftest.report.html.pictures.canvas import SENTINELS, house_style, new_figure, plot_area
from selftest.report.html.pictures.svg import inline

#: One hue from strong to faint: neighbours differ, and no piece looks like a verdict. The style sheet has the same
#: steps for the names, and both stay at the last one where there are more phases.
STEPS: Final = (1.0, 0.78, 0.6, 0.46, 0.34, 0.25, 0.18, 0.12)
#: Stretched by the page to its own width and height, which is why nothing is written in it.
_WIDTH_PX: Final = 1000
_HEIGHT_PX: Final = 20
_GAP: Final = 2 / _WIDTH_PX


def phase_bar(shares: Sequence[float], *, name: str, title: str, description: str) -> Markup:
    """Draw the shares, which add up to one, from left to right."""
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        axes = plot_area(figure, left=0, right=0, top=0, bottom=0)
        axes.grid(visible=False)
        axes.set_axis_off()
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        left = 0.0
        for index, share in enumerate(shares):
            alpha = STEPS[min(index, len(STEPS) - 1)]
            axes.barh(0.5, max(share - _GAP, 0), left=left, height=1, color=SENTINELS["accent"], alpha=alpha)
            left += share
    return inline(figure, name=name, title=title, description=description, shape="stretched")

"""Draw the percentile curve: how long the slowest tenth, hundredth and thousandth of the calls took.

The x axis is 1 / (1 - share) on a log scale, so that each further nine has the same width. A linear axis would put
every call that fails a sign-in into its last pixel. The form is HdrHistogram's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from matplotlib.axes import Axes

from selftest.report.html.pictures.canvas import SENTINELS, Role, house_style, marks, new_figure, plot_area
from selftest.report.html.pictures.scales import FLOOR_MS, budget_line, latency_axis
from selftest.report.html.pictures.svg import inline
from selftest.report.units import milliseconds

_WIDTH_PX: Final = 520
_HEIGHT_PX: Final = 300
#: The largest distance from a nine, as a factor, at which a point is labeled with it.
_NEAR: Final = 1.25
#: The width and the height that a label of a value needs, with the larger text of a narrow page.
_LABEL_PX: Final = 76
_LINE_PX: Final = 20
_NINES: Final = ((0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveLine:
    """One curve.

    Attributes:
        points: (share of the calls, ms), both growing; the share from 0 to 1.
        calls: The number of calls, which places the slowest one on the axis.
        label: Ours, never text of a run; None for a single curve.
    """

    points: Sequence[tuple[float, float]]
    calls: int
    role: Role = "accent"
    label: str | None = None


def percentile_curve(lines: Sequence[CurveLine], budget_ms: float, *, name: str, description: str) -> Markup:
    """Return a picture of one curve, or of two to compare."""
    drawn = [(line, _places(line)) for line in lines]
    end = max(10.0, *(places[-1][0] for _, places in drawn))
    values = [value for _, places in drawn for _, value in places]
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        axes = plot_area(figure, left=62, right=_LABEL_PX, top=26, bottom=34)
        axes.set_xscale("log")
        axes.set_xlim(1, end * 1.08)
        nines = [(1 / (1 - share), label) for share, label in _NINES if 1 / (1 - share) <= end * 1.08]
        axes.set_xticks([x for x, _ in nines], [label for _, label in nines])
        latency_axis(axes, min(values), max(*values, budget_ms))
        axes.minorticks_off()
        budget_line(axes, budget_ms)
        for line, places in drawn:
            axes.plot(*zip(*places, strict=True), color=SENTINELS[line.role], linewidth=2.2, solid_capstyle="round")
            marks(axes, places[-1:], shape="dot", role=line.role)
            if len(drawn) == 1:
                _name_values(axes, places, nines)
            if line.label is not None:
                axes.annotate(
                    line.label,
                    places[-1],
                    xytext=(-2, 8),
                    textcoords="offset points",
                    ha="right",
                    color=SENTINELS[line.role],
                    weight="bold",
                )
    return inline(figure, name=name, title="Latency by percentile", description=description)


def _name_values(axes: Axes, places: Sequence[tuple[float, float]], nines: Sequence[tuple[float, str]]) -> None:
    """Write the value at each nine, and the slowest, right below the curve, where it leaves space as it only rises.

    A value whose label would overlap that of a slower one is left out.
    """
    at_nines = (next(((x, value) for x, value in places if x >= nine * 0.999), None) for nine, _ in nines)
    # With few calls the next point may be far from the nine, and the label would be wrong.
    named = [at for at, (nine, _) in zip(at_nines, nines, strict=True) if at is not None and at[0] < nine * _NEAR]
    if not named or named[-1][0] * _NEAR < places[-1][0]:
        named.append(places[-1])
    free_px, free_y_px = math.inf, math.inf
    for (x, value), (x_px, y_px) in reversed([*zip(named, axes.transData.transform(named), strict=True)]):
        if x_px + _LABEL_PX > free_px and free_y_px - y_px < _LINE_PX:
            continue
        free_px, free_y_px = x_px, y_px
        marks(axes, [(x, value)], shape="dot", role="accent")
        axes.annotate(
            milliseconds(value),
            (x, value),
            xytext=(5, -5),
            textcoords="offset points",
            va="top",
            color=SENTINELS["ink"],
        )


def _places(line: CurveLine) -> list[tuple[float, float]]:
    """Return the points on the axis; the slowest is at twice the number of calls, because 1 / (1 - 1) is undefined."""
    slowest = 2.0 * max(line.calls, 1)
    return [
        (min(1 / (1 - share), slowest) if share < 1 else slowest, max(value, FLOOR_MS)) for share, value in line.points
    ]

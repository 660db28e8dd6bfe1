"""The percentile curve: how long the slowest tenth, hundredth and thousandth of the calls took.

The x axis is 1 / (1 - share) on a log scale, so that each further nine has the same room; a plain axis would put
everything that fails a sign-in into its last pixel. The form is HdrHistogram's.
"""

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
_NINES: Final = ((0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve.

    Attributes:
        points: (share of the calls, ms), both growing; the share from 0 to 1.
        calls: how many there were: it says how far out the slowest one stands.
        label: ours, never a text of a run's; None where there is only one curve.
    """

    points: Sequence[tuple[float, float]]
    calls: int
    role: Role = "accent"
    label: str | None = None


def percentile_curve(lines: Sequence[Line], budget_ms: float, *, name: str, description: str) -> Markup:
    """Draw one curve, or two to compare."""
    drawn = [(line, _places(line)) for line in lines]
    end = max(10.0, *(places[-1][0] for _, places in drawn))
    values = [value for _, places in drawn for _, value in places]
    with house_style():
        figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
        axes = plot_area(figure, left=62, right=20, top=16, bottom=34)
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
    """Write the value at each nine below the curve, where nothing else is: it only ever rises."""
    for x, _ in nines:
        value = next((value for place, value in places if place >= x * 0.999), None)
        if value is None:  # too few calls to have one this far out
            continue
        marks(axes, [(x, value)], shape="dot", role="accent")
        axes.annotate(
            milliseconds(value), (x, value), xytext=(5, -14), textcoords="offset points", color=SENTINELS["ink"]
        )


def _places(line: Line) -> list[tuple[float, float]]:
    """Put the points on the axis; the slowest call stands at one in twice their number, for 1 / (1 - 1) is nowhere."""
    slowest = 2.0 * max(line.calls, 1)
    return [
        (min(1 / (1 - share), slowest) if share < 1 else slowest, max(value, FLOOR_MS)) for share, value in line.points
    ]

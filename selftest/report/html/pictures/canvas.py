"""Matplotlib in the style of the report: figures measured in pixels, colors by role, many marks as one path.

Text remains text in the SVG and uses the page's font; the bundled font only measures it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform
from matplotlib.typing import RcKeyType

type Role = Literal["ink", "muted", "line", "accent", "good", "bad", "warn", "faint"]
type MarkShape = Literal["dot", "cross", "triangle", "square"]

#: The color that stands in for a variable of the page, so that figures follow light and dark.
SENTINELS: Final[dict[Role, str]] = {
    "ink": "#fe0001",
    "muted": "#fe0002",
    "line": "#fe0003",
    "accent": "#fe0004",
    "good": "#fe0005",
    "bad": "#fe0006",
    "warn": "#fe0007",
    "faint": "#fe0008",
}
TEXT_PX: Final = 12
_STYLE: Final[dict[RcKeyType, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": SENTINELS["line"],
    "axes.facecolor": "none",
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 72,  # a point is a pixel
    "figure.facecolor": "none",
    "font.size": TEXT_PX,
    "grid.color": SENTINELS["line"],
    "grid.linewidth": 1,
    "path.simplify": False,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "selftest",  # the same results give the same bytes
    "text.color": SENTINELS["muted"],
    "text.parse_math": False,
    "xtick.color": SENTINELS["line"],
    "xtick.labelcolor": SENTINELS["muted"],
    "xtick.major.pad": 7,
    "xtick.major.size": 0,
    "ytick.color": SENTINELS["line"],
    "ytick.labelcolor": SENTINELS["muted"],
    "ytick.major.pad": 8,
    "ytick.major.size": 0,
}
_RADIUS_PX: Final = 2.6


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save in this style, whatever the process has configured."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def new_figure(width_px: int, height_px: int) -> Figure:
    """Return an empty figure."""
    return Figure(figsize=(width_px / 72, height_px / 72))


def plot_area(figure: Figure, *, left: int, right: int, top: int, bottom: int) -> Axes:
    """Return axes inside these margins, in pixels, with horizontal grid lines."""
    width, height = figure.get_size_inches() * 72
    axes = figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    )
    axes.grid(visible=True, axis="y")
    axes.minorticks_off()
    return axes


def marks(
    axes: Axes, points: Sequence[tuple[float, float]], *, shape: MarkShape, role: Role, alpha: float = 1.0
) -> None:
    """Draw a mark at each point, all in one path. The limits and scales of the axes must be set before.

    A thousand marks take a hundred kilobytes of SVG as separate elements, and twenty as one path.
    """
    if not points:
        return
    vertices: list[tuple[float, float]] = []
    codes: list[Any] = []
    for x, y in axes.transData.transform(points):
        for stroke in _strokes(shape, float(x), float(y)):
            vertices += stroke
            codes += [Path.MOVETO] + [Path.LINETO] * (len(stroke) - 1)
    path = Path(vertices, codes)
    dot = shape == "dot"
    patch = PathPatch(
        path,
        transform=IdentityTransform(),
        facecolor="none",
        edgecolor=SENTINELS[role],
        linewidth=2 * _RADIUS_PX if dot else 1.6,
        alpha=alpha,
        capstyle="round",
        clip_on=False,
    )
    axes.add_artist(patch)


def _strokes(shape: MarkShape, x: float, y: float) -> list[list[tuple[float, float]]]:
    r = _RADIUS_PX + 0.6
    match shape:
        case "dot":  # a line of no length with a round cap
            return [[(x, y), (x + 0.01, y)]]
        case "cross":
            return [[(x - r, y - r), (x + r, y + r)], [(x - r, y + r), (x + r, y - r)]]
        case "triangle":
            return [[(x - r, y - r), (x + r, y - r), (x, y + r), (x - r, y - r)]]
        case "square":
            return [[(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r), (x - r, y - r)]]

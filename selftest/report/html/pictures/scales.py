"""Axes that several figures share: time on a log scale, the budget as a line, the time of a run."""

import sys
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes

from selftest.report.html.pictures.canvas import SENTINELS
from selftest.report.units import count

#: Shorter times are not distinguishable, and a logarithm needs a value above zero.
FLOOR_MS: Final = 0.1
_STEPS: Final = (1, 2, 5)


def latency_axis(axes: Axes, low_ms: float, high_ms: float) -> None:
    """Put milliseconds on a logarithmic y axis: a budget of 2000 and a median of 10 must both be visible."""
    low, high = max(low_ms, FLOOR_MS) * 0.7, min(max(high_ms, FLOOR_MS) * 1.45, sys.float_info.max)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    decades = [10.0**power for power in range(-1, 7)]
    ticks = [tick for tick in decades if low <= tick <= high]
    if len(ticks) < 3:
        ticks = [tick * step for tick in decades for step in _STEPS if low <= tick * step <= high]
    axes.set_yticks(ticks, [_short(tick) for tick in ticks])
    axes.minorticks_off()


def _short(value_ms: float) -> str:
    return f"{value_ms / 1000:g} s" if value_ms >= 1000 else f"{value_ms:g} ms"


def budget_line(axes: Axes, budget_ms: float) -> None:
    """Draw the budget as a red line. Its label is above the plot, because late calls have their marks at the line."""
    axes.axhline(budget_ms, color=SENTINELS["bad"], linewidth=1.4, dashes=(5, 3))
    axes.annotate(
        f"- - Entra's timeout {count(int(budget_ms))} ms",
        (1, 1),
        xycoords="axes fraction",
        xytext=(0, 7),
        textcoords="offset points",
        ha="right",
        color=SENTINELS["bad"],
    )


def run_axis(axes: Axes, end_s: float) -> None:
    """Put the time of the run on the x axis, in a suitable unit, with about five ticks."""
    divisor, unit = next((row for row in ((3600, "h"), (60, "min")) if end_s >= 2 * row[0]), (1, "s"))
    ticks = even_ticks(end_s / divisor)
    axes.set_xlim(0, end_s)
    labels = [f"{tick:g}" for tick in ticks]
    labels[-1] += f" {unit}"
    axes.set_xticks([tick * divisor for tick in ticks], labels)


def even_ticks(end: float) -> Sequence[float]:
    """Return at most six round numbers from 0 to the end."""
    size = next(
        step * 10.0**power for power in range(-4, 20) for step in (1, 2, 2.5, 5) if end / (step * 10.0**power) <= 5
    )
    return [index * size for index in range(int(end / size + 1e-9) + 1)]

"""The latencies of the last requests, for the health answer to an authenticated caller.

Exact percentiles over a sliding window of requests: at this size a sort is fast, and simpler than an estimate.
"""

import math
from collections import deque
from typing import Final

from claims.measurements import OTHER, TOTAL, Timings

WINDOW: Final = 1000
_PERCENTILES: Final = (50, 95, 99)
#: Phases with their own percentiles: a provider that invents names forever must not make the answer grow.
_MAX_PHASES: Final = 32


class LatencyWindow:
    """Remembers the phases of the last `WINDOW` answered requests."""

    def __init__(self) -> None:
        self._requests: deque[Timings] = deque(maxlen=WINDOW)

    def add(self, timings: Timings) -> None:
        """Add one request."""
        self._requests.append(timings)

    def percentiles_ms(self) -> dict[str, dict[str, float]]:
        """Return p50, p95 and p99 (nearest rank) by phase, in milliseconds, and how many requests had the phase."""
        by_phase: dict[str, list[float]] = {}
        for timings in self._requests:
            for phase, spent_ms in (*timings.phases_ms().items(), (TOTAL, timings.total_ms)):
                known = phase in by_phase or len(by_phase) < _MAX_PHASES
                by_phase.setdefault(phase if known else OTHER, []).append(spent_ms)
        return {phase: _summary(sorted(samples)) for phase, samples in by_phase.items()}


def _summary(ordered: list[float]) -> dict[str, float]:
    ranks = {f"p{share}": ordered[math.ceil(share / 100 * len(ordered)) - 1] for share in _PERCENTILES}
    return {"requests": len(ordered), **{name: round(value, 3) for name, value in ranks.items()}}

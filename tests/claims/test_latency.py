"""The latency window."""

from claims.latency import WINDOW, LatencyWindow
from claims.measurements import Timings


def test_nothing_yet() -> None:
    """Without requests there are no percentiles."""
    assert LatencyWindow().percentiles_ms() == {}


def test_nearest_rank() -> None:
    """Percentiles are samples, by nearest rank; a phase counts the requests that had it."""
    window = LatencyWindow()
    for spent_ms in range(1, 101):
        window.add(Timings(spent_ms, {"keys": 0.005} if spent_ms == 1 else {}, ""))
    assert window.percentiles_ms() == {
        "total": {"requests": 100, "p50": 50.0, "p95": 95.0, "p99": 99.0},
        "keys": {"requests": 1, "p50": 5.0, "p95": 5.0, "p99": 5.0},
    }


def test_window_slides() -> None:
    """The oldest requests are forgotten."""
    window = LatencyWindow()
    for spent_ms in range(2 * WINDOW):
        window.add(Timings(spent_ms, {}, ""))
    total = window.percentiles_ms()["total"]
    assert total["requests"] == WINDOW
    assert total["p50"] == 1.5 * WINDOW - 1

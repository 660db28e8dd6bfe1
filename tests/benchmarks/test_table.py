"""Tables and verdicts."""

import math
from pathlib import Path

import pytest

from benchmarks.rounds import median_of_ratios, percentile, shuffled
from benchmarks.table import Must, Part, Table, write


def _part(name: str, figure: str) -> Part:
    table = Table(title="", columns=("", "ms"), rows=((name, figure),))
    return Part(name=name, title=name, method="By hand.", tables=(table,), musts=())


def test_part_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    """A part that is measured again takes its old place; the others stay as they are."""
    path = tmp_path / "results.md"
    for name, figure in (("endpoint", "1"), ("bad-days", "2"), ("endpoint", "3")):
        write(_part(name, figure), path)
    text = path.read_text()
    assert text.index("| endpoint | 3 |") < text.index("| bad-days | 2 |")
    assert "| endpoint | 1 |" not in text
    assert text.count("<!-- endpoint -->") == 1


@pytest.mark.parametrize(
    ("measured", "bound", "holds"),
    [(1.5, "at most", True), (1.51, "at most", False), (1.5, "at least", True), (1.49, "at least", False)],
)
def test_limit_itself_holds(measured: float, bound: str, holds: bool) -> None:  # noqa: FBT001 (a table's column)
    """What must hold is told apart at its limit."""
    assert Must(says="", measured=measured, limit=1.5, bound=bound).holds is holds  # type: ignore[arg-type]  # a table's text


def test_no_number_does_not_hold() -> None:
    """A figure that could not be computed proves nothing."""
    assert not Must(says="", measured=math.nan, limit=1.5).holds


@pytest.mark.parametrize(
    ("musts", "code"),
    [
        ((), 0),
        ((Must(says="", measured=1, limit=2),), 0),
        ((Must(says="", measured=1, limit=2), Must(says="", measured=3, limit=2)), 1),
        ((Must(says="", measured=1, limit=2), Must(says="", measured=3, limit=2, judged=False)), 3),
        ((Must(says="", measured=3, limit=2), Must(says="", measured=1, limit=2, judged=False)), 1),
    ],
)
def test_exit_code_is_that_of_the_worst(musts: tuple[Must, ...], code: int) -> None:
    """One that does not hold is enough; what could not be judged neither holds nor fails."""
    assert Part(name="", title="", method="", tables=(), musts=musts).exit_code == code


def test_percentiles_are_by_nearest_rank() -> None:
    """Of a hundred samples the 99th percentile is the 99th, and the 99.9th the last."""
    samples = [float(each) for each in range(100, 0, -1)]
    assert [percentile(samples, each) for each in (50, 99, 99.9)] == [50.0, 99.0, 100.0]


def test_one_disturbed_round_does_not_decide() -> None:
    """Rounds are compared one by one, so that a disturbance of both sides cancels out."""
    assert median_of_ratios([2.0, 20.0, 2.2], [1.0, 10.0, 1.0]) == 2.0


def test_order_changes_and_can_be_repeated() -> None:
    """Every round has an order of its own, the same in every run."""
    orders = [shuffled("abcd", number) for number in range(8)]
    assert orders == [shuffled("abcd", number) for number in range(8)]
    assert len({tuple(order) for order in orders}) > 1

"""Write the comparison of two runs for a terminal. Like a run's report it begins with the verdict."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from selftest.base.printable import visible
from selftest.report.compare import Change, ChangeKind, FigureChange, RunComparison, Unit
from selftest.report.results import Results
from selftest.report.units import count, milliseconds, per_second, percent

_STYLES: Final[dict[ChangeKind, str]] = {"newly failing": "red", "newly passing": "green"}


def show_comparison(comparison: RunComparison, console: Console) -> None:
    """Print the comparison. The console decides whether to use color."""
    for part in _parts(comparison):
        console.print(part, crop=False, soft_wrap=isinstance(part, Text))


def _parts(comparison: RunComparison) -> Iterator[RenderableType]:
    yield Text(visible(comparison.sentence), style="bold red" if comparison.exit_code else "bold green")
    for name, run in (("A", comparison.a), ("B", comparison.b)):
        yield _run_line(name, run)
    yield Text("")
    if comparison.differences:
        yield Text("the runs were made under different conditions: compare with care", style="bold yellow")
        yield _table([("", "A", "B"), *((row.name, row.a, row.b) for row in comparison.differences)])
    for name in comparison.invalid:
        yield Text(f"the load of {name} is not valid: its figures prove nothing", style="bold yellow")
    if comparison.changes:
        yield Text("changed", style="bold")
        yield _changes(comparison.changes)
    if comparison.figures:
        yield Text("under load", style="bold")
        yield _table([("", "A", "B", "B to A"), *map(_figure_row, comparison.figures)])


def _run_line(name: str, run: Results) -> Text:
    return Text(visible(f"{name}  {run.started_at}  {run.verdict.sentence}"))


def _changes(changes: tuple[Change, ...]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for change in changes:
        what = Text(f"{visible(change.title)}: {visible(change.actual)}")
        table.add_row(
            Text(change.kind, _STYLES.get(change.kind, "yellow")), Text(visible(change.id)), Text(change.level), what
        )
    return Padding(table, (0, 0, 1, 2), expand=False)


def _table(rows: list[tuple[str, ...]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return Padding(table, (0, 0, 1, 2), expand=False)


def _figure_row(figure: FigureChange) -> tuple[str, ...]:
    ratio = figure.ratio
    factor = "" if ratio is None else f"x {ratio:.2f}"
    return figure.name, figure_text(figure.a, figure.unit), figure_text(figure.b, figure.unit), factor


def figure_text(value: float | None, unit: Unit) -> str:
    """Return a figure with its unit; a dash without a value."""
    if value is None:
        return "-"
    match unit:
        case "ms":
            return milliseconds(value)
        case "count":
            return count(int(value))
        case "percent":
            return percent(value)
        case "per_second":
            return per_second(value)

"""Write the result of a part of the benchmarks to the console and to its section of results.md.

A part has its method, its tables, and what must hold: ratios of two figures of the same run, which are meaningful on
any machine.
"""

import datetime as dt
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks import machine

#: For a log or a file, which has no width.
_WIDTH: Final = 160
RESULTS: Final = Path(__file__).parent / "results.md"
_HEAD: Final = """# Results

Written by `make bench` (all parts) and `python -m benchmarks PART` (its own part only); edit nothing here by hand.
Figures compare within one part: another machine, or another day on this one, has others. The ratios are the point.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Must:
    """One thing that must hold.

    Attributes:
        says: What is compared.
        measured: The measured ratio.
        limit: The limit of the ratio.
        bound: Whether the limit is the highest or the lowest accepted value.
        unit: The unit behind the numbers; empty for a plain ratio.
        judged: Whether the machine was quiet enough; if not, it neither holds nor fails.
    """

    says: str
    measured: float
    limit: float
    bound: Literal["at most", "at least"] = "at most"
    unit: str = ""
    judged: bool = True

    @property
    def holds(self) -> bool:
        """Whether it holds; a figure that is not a number does not."""
        return self.measured <= self.limit if self.bound == "at most" else self.measured >= self.limit

    def __str__(self) -> str:
        """Return it with its verdict."""
        verdict = "holds" if self.holds else "does not hold"
        if not self.judged:
            verdict = "not judged, the machine was too busy"
        return f"{self.says}: {self.measured:.2f}{self.unit}, {self.bound} {self.limit:g}{self.unit}: {verdict}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Figures as text, the first column names."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the results.

    Attributes:
        name: on the command line.
        title: its heading.
        method: how it was measured, a paragraph.
        tables: what was found.
        musts: what must hold.
        notes: what a reader has to know to read the tables.
    """

    name: str
    title: str
    method: str
    tables: tuple[Table, ...]
    musts: tuple[Must, ...]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """Return 1 if something that must hold does not, else 3 if something could not be judged, else 0."""
        if any(must.judged and not must.holds for must in self.musts):
            return 1
        return 0 if all(must.judged for must in self.musts) else 3


def show(part: Part) -> None:
    """Print a part."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    console.print(f"\n[bold]{part.title}[/bold]")
    for table in part.tables:
        shown = RichTable(title=table.title or None, title_justify="left", box=None, pad_edge=False)
        for index, column in enumerate(table.columns):
            shown.add_column(column, justify="right" if index else "left")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
    for must in part.musts:
        console.print(
            str(must), style="" if must.holds or not must.judged else "bold red", markup=False, soft_wrap=True
        )


def write(part: Part, path: Path = RESULTS) -> None:
    """Put a part into the file of results, in the place of its last figures or at the end."""
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    block = f"<!-- {part.name} -->\n{_markdown(part)}<!-- end of {part.name} -->\n"
    old = re.compile(rf"<!-- {re.escape(part.name)} -->\n.*?<!-- end of {re.escape(part.name)} -->\n", re.DOTALL)
    text = old.sub(lambda _: block, text) if old.search(text) else f"{text}\n{block}"
    path.write_text(text, encoding="utf-8")


def _markdown(part: Part) -> str:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    lines = [
        f"## {part.title}",
        "",
        f"`python -m benchmarks {part.name}`, {today}: {machine.describe()}; {machine.versions()}.",
        "",
        part.method,
        "",
    ]
    for table in part.tables:
        lines += [f"**{table.title}**", ""] if table.title else []
        lines += [_row(table.columns), _row(("---", *("---:" for _ in table.columns[1:])))]
        lines += [*map(_row, table.rows), ""]
    lines += [f"- {note}" for note in part.notes] + ([""] if part.notes else [])
    lines += ["Must hold:", "", *(f"- {must}" for must in part.musts), ""] if part.musts else []
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"

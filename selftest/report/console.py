"""Write the results for a terminal: failures first, each with its fix, and the verdict last."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from selftest.base.printable import visible
from selftest.base.program import PROGRAM
from selftest.report.check_groups import SUBJECTS, failures, groups, skips
from selftest.report.load_text import load_lines
from selftest.report.results import CheckResult, Results, SignInResult

_SIGNIN_COLUMNS: Final[tuple[JustifyMethod, ...]] = ("left", "left", "right", "left")
_COLORS: Final = {"held": "green", "broken": "red", "no-evidence": "yellow", "interrupted": "yellow"}


def show(results: Results, console: Console, *, verbose: bool = False, page: Path | None = None) -> None:
    """Print the report and the path of its page. The console decides whether to use color."""
    for part in _parts(results, verbose=verbose, page=page):
        # The terminal wraps lines of text, so that copied text has no line breaks of ours.
        console.print(part, crop=False, soft_wrap=isinstance(part, Text))


def _parts(results: Results, *, verbose: bool, page: Path | None) -> Iterator[RenderableType]:
    yield Text(visible(f"target  {results.target.get('url', 'unknown')}  ({results.target.get('mode', 'unknown')})"))
    if page is not None:
        yield Text(visible(f"report  {page}"))
    yield Text("")
    for check in failures(results.checks):
        yield from _failure(check)
    reasons = skips(results.checks)
    for skip in reasons:
        yield Text.assemble(("skip  ", "yellow"), f"{' '.join(skip.ids)}: {visible(skip.reason)}")
    if reasons:
        yield Text("")
    if verbose:
        yield from (
            Text(visible(f"ok    {check.id:<5}{check.title}")) for check in results.checks if check.status == "pass"
        )
    if results.signins:
        yield _signins(results.signins)
    if results.load is not None:
        yield from (Text(visible(line)) for line in load_lines(results.load))
        yield Text("")
    if results.checks:
        yield _summary(results.checks)
        yield Text("")
    verdict = results.verdict
    yield Text(visible(f"{verdict.sentence}  ({results.duration_s:.1f} s)"), style=f"bold {_COLORS[verdict.outcome]}")


def _failure(check: CheckResult) -> Iterator[RenderableType]:
    word = "ERROR" if check.status == "error" else "FAIL" if check.level == "must" else "warn"
    style = "bold red" if check.level == "must" else "bold yellow"
    yield Text.assemble((f"{word:<6}", style), (f"{check.id:<5}", "bold"), visible(check.title), f"  ({check.level})")
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    rows = [("expected", check.expected), ("actual", check.actual), ("why", check.why), ("fix", check.fix)]
    rows.append(("more", f"{PROGRAM} explain {check.id}"))
    for name, value in rows:
        table.add_row(name, Text(visible(value)))
    yield Padding(table, (0, 0, 0, 6), expand=False)
    if check.curl is not None:
        yield Text(visible(check.curl), style="dim")
    yield Text("")


def _signins(signins: tuple[SignInResult, ...]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for justify in _SIGNIN_COLUMNS:
        table.add_column(justify=justify, no_wrap=True)
    for signin in signins:
        verdict = (
            Text("token minted", "green") if signin.minted else Text(visible(f"{signin.code} {signin.name}"), "red")
        )
        warnings = f"{len(signin.warnings)} warnings" if signin.warnings else ""
        table.add_row(Text(visible(signin.title)), verdict, Text(f"{signin.latency_ms:.1f} ms"), Text(warnings))
    return Group(Text("sign-ins", style="bold"), Padding(table, (0, 0, 1, 2), expand=False))


def _summary(checks: tuple[CheckResult, ...]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for group in groups(checks):
        counts = (
            (group.failed("must"), "required failed"),
            (group.failed("should"), "recommended failed"),
            (group.skipped, "skipped"),
        )
        parts = [f"{group.held} of {len(group.checks)} passed", *(f"{count} {word}" for count, word in counts if count)]
        table.add_row(Text(group.letter, "bold"), Text(SUBJECTS.get(group.letter, "")), Text(", ".join(parts)))
    return table

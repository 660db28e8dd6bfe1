"""The results for a terminal: what fails first, with a way on; the verdict last, where the eye ends up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from selftest.base.program import PROGRAM
from selftest.report.load_text import load_lines
from selftest.report.results import CheckResult, Results, SignInResult
from selftest.report.visible import visible

_GROUPS: Final = {"C": "contract", "T": "token", "B": "body", "F": "faults", "L": "load"}
_SIGNIN_COLUMNS: Final[tuple[JustifyMethod, ...]] = ("left", "left", "right", "left")
_COLOURS: Final = {"held": "green", "broken": "red", "no-evidence": "yellow", "interrupted": "yellow"}


def show(results: Results, console: Console, *, verbose: bool = False, page: Path | None = None) -> None:
    """Print the report, with the place of its page; whether there is colour is the console's decision."""
    for part in _parts(results, verbose=verbose, page=page):
        # A line of text is left to the terminal to wrap, so that what is copied from it has no breaks of ours.
        console.print(part, crop=False, soft_wrap=isinstance(part, Text))


def _parts(results: Results, *, verbose: bool, page: Path | None) -> Iterator[RenderableType]:
    yield Text(visible(f"target  {results.target.get('url', 'unknown')}  ({results.target.get('mode', 'unknown')})"))
    if page is not None:
        yield Text(visible(f"report  {page}"))
    yield Text("")
    for check in sorted(results.checks, key=_badness):
        if check.bad:
            yield from _failure(check)
    yield from _skips(results.checks)
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
    yield Text(visible(f"{verdict.sentence}  ({results.duration_s:.1f} s)"), style=f"bold {_COLOURS[verdict.outcome]}")


def _badness(check: CheckResult) -> int:
    return 0 if check.level == "must" else 1


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


def _skips(checks: tuple[CheckResult, ...]) -> Iterator[RenderableType]:
    """Name each reason once, with the checks that it kept from running."""
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.status == "skip":
            reasons.setdefault(check.actual, []).append(check.id)
    for reason, ids in reasons.items():
        yield Text.assemble(("skip  ", "yellow"), f"{' '.join(ids)}: {visible(reason)}")
    if reasons:
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
    for letter in dict.fromkeys(check.id[0] for check in checks):
        group = [check for check in checks if check.id[0] == letter]
        held = sum(check.status == "pass" for check in group)
        must = sum(check.bad for check in group if check.level == "must")
        should = sum(check.bad for check in group if check.level == "should")
        skipped = sum(check.status == "skip" for check in group)
        told = [f"{held} of {len(group)} hold"]
        told += [
            f"{count} {word}"
            for count, word in ((must, "must fail"), (should, "should fail"), (skipped, "skipped"))
            if count
        ]
        table.add_row(Text(letter, "bold"), Text(_GROUPS.get(letter, "")), Text(", ".join(told)))
    return table

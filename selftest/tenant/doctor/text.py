"""The diagnosis for a terminal: the verdict, then the faults with their fix."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from selftest.base.printable import visible
from selftest.base.program import PROGRAM
from selftest.tenant.doctor.diagnosis import Diagnosis, StatementResult, named_codes
from selftest.tenant.doctor.flow import Branch
from selftest.tenant.doctor.registry import TenantFinding
from selftest.tenant.verdict import COLORS

_GROUPS: Final = (
    (1, "settings"),
    (20, "extension"),
    (30, "service principals and consent"),
    (45, "listener and limits"),
    (60, "target application"),
    (70, "claims mapping"),
    (80, "endpoint"),
)


def show(
    diagnosis: Diagnosis,
    console: Console,
    *,
    about: tuple[str, ...],
    branches: tuple[Branch, ...],
    verbose: bool = False,
) -> None:
    """Print the report."""
    for part in _parts(diagnosis, about, branches, verbose=verbose):
        # A line of text is left to the terminal to wrap, so that a command copied from it has no breaks of ours.
        console.print(part, crop=False, soft_wrap=isinstance(part, Text))


def _parts(
    diagnosis: Diagnosis, about: tuple[str, ...], branches: tuple[Branch, ...], *, verbose: bool
) -> Iterator[RenderableType]:
    yield Text(visible(diagnosis.sentence), style=f"bold {COLORS[diagnosis.verdict]}")
    yield from (Text(visible(line)) for line in about)
    yield Text("")
    for one, finding in diagnosis.faults:
        yield from _finding("ERROR" if one.status == "error" else "FAIL", "bold red", one, finding)
    for one, finding in diagnosis.hints:
        yield from _finding("hint", "bold yellow", one, finding)
    yield from _skips(diagnosis)
    if verbose:
        # One with a hint is shown above.
        yield from (_held(one) for one in diagnosis.results if one.status == "pass")
    yield _summary(diagnosis)
    yield Text("")
    yield from _flow(branches)


def _finding(word: str, style: str, one: StatementResult, finding: TenantFinding) -> Iterator[Text]:
    """Yield a finding as lines of text, never as a table: a command in a table would be broken when it is copied."""
    code = one.code_of(finding)
    shown = f"  ({named_codes(one.codes_of(finding))})" if code is not None else ""
    yield Text.assemble((f"{word:<6}", style), (f"{one.statement.id:<5}", "bold"), visible(one.statement.title + shown))
    rows = [("expected", finding.expected), ("actual", finding.actual), ("why", one.statement.why)]
    rows.append(("fix", one.step_of(finding)))
    rows += [("or", line) for line in (finding.command or "").splitlines()]
    more = f"{PROGRAM} explain {one.statement.id}" + ("" if code is None else f" {code}")
    rows.append(("more", more))
    for label, value in rows:
        yield Text.assemble((f"      {label:>8} ", "dim"), visible(value))
    yield Text("")


def _held(one: StatementResult) -> Text:
    return Text(visible(f"ok    {one.statement.id:<5}{one.statement.title}"))


def _skips(diagnosis: Diagnosis) -> Iterator[Text]:
    """Yield each reason once, with the statements that were skipped for it."""
    reasons: dict[str, list[str]] = {}
    for one, lack in diagnosis.skipped:
        reasons.setdefault(lack.reason, []).append(one.statement.id)
    for reason, ids in reasons.items():
        yield Text.assemble(("skip  ", "yellow"), f"{' '.join(ids)}: {visible(reason)}")
    if reasons:
        yield Text("")


def _summary(diagnosis: Diagnosis) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for name in dict(_GROUPS).values():
        group = [one for one in diagnosis.results if _group(one) == name and one.status != "not applicable"]
        if not group:
            continue
        counts = {status: sum(one.status == status for one in group) for status in ("fail", "error", "hint", "skip")}
        held = sum(one.holds for one in group)
        words = {"fail": "failed", "error": "with an internal error", "hint": "of them with a hint", "skip": "skipped"}
        shown = [f"{held} of {len(group)} passed"]
        shown += [f"{count} {words[name]}" for name, count in counts.items() if count]
        table.add_row(Text(name), Text(", ".join(shown)))
    return Padding(table, 0, expand=False)


def _flow(branches: tuple[Branch, ...]) -> Iterator[Text]:
    if not branches:
        return
    yield Text("in Entra's sign-in log you will see", style="bold")
    for branch in branches:
        yield Text(visible(f"  {branch.shows}  ({', '.join(branch.checks)})"))
        yield Text(
            "    next: apply the fix above and run doctor again "
            "(`doctor --tenant TENANT --credential browser --export FILE` makes a new file)"
        )
        yield Text(visible(f"    more: {branch.next_command}"))
    yield Text("")


def _group(one: StatementResult) -> str:
    number = one.statement.order[1]
    return next(name for start, name in reversed(_GROUPS) if number >= start)

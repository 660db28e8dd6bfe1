"""The findings for a terminal: what is wrong first, with its fix; the verdict last, where the eye ends up."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from selftest.base.program import PROGRAM
from selftest.judge.codes import CODES
from selftest.report.visible import visible
from selftest.tenant.doctor.diagnosis import Problem
from selftest.tenant.doctor.findings import Diagnosed, Findings
from selftest.tenant.doctor.flow import Branch

_GROUPS: Final = (
    (1, "settings"),
    (20, "extension"),
    (30, "service principals and consent"),
    (45, "listener and limits"),
    (60, "target application"),
    (70, "claims mapping"),
    (80, "endpoint"),
)
_COLOURS: Final = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow"}


def show(
    findings: Findings, console: Console, *, about: tuple[str, ...], branches: tuple[Branch, ...], verbose: bool = False
) -> None:
    """Print the report.

    Args:
        findings: what was found.
        console: where to; whether there is colour is its decision.
        about: lines that say what was looked at, and what could not be.
        branches: what a sign-in would show.
        verbose: name the statements that hold, too.
    """
    for part in _parts(findings, about, branches, verbose=verbose):
        # A line of text is left to the terminal to wrap, so that a command copied from it has no breaks of ours.
        console.print(part, crop=False, soft_wrap=isinstance(part, Text))


def _parts(
    findings: Findings, about: tuple[str, ...], branches: tuple[Branch, ...], *, verbose: bool
) -> Iterator[RenderableType]:
    yield from (Text(visible(line)) for line in about)
    yield Text("")
    for one, problem in findings.faults:
        yield from _problem("ERROR" if one.status == "error" else "FAIL", "bold red", one, problem)
    for one, problem in findings.hints:
        yield from _problem("hint", "bold yellow", one, problem)
    yield from _skips(findings)
    if verbose:
        yield from (_held(one) for one in findings.results if one.status in {"pass", "hint"})
    yield _summary(findings)
    yield Text("")
    yield from _flow(branches)
    yield Text(visible(findings.verdict), style=f"bold {_COLOURS[findings.outcome]}")


def _problem(word: str, style: str, one: Diagnosed, problem: Problem) -> Iterator[Text]:
    """Write a problem in lines of text, never in a table: a command in a table would be broken where it is copied."""
    code = one.code_of(problem)
    name = CODES[code].name if code is not None and code in CODES else ""
    told = f"  ({code} {name})" if code is not None else ""
    yield Text.assemble((f"{word:<6}", style), (f"{one.diagnosis.id:<5}", "bold"), visible(one.diagnosis.title + told))
    rows = [("expected", problem.expected), ("actual", problem.actual), ("why", one.diagnosis.why)]
    rows.append(("fix", one.diagnosis.fix))
    rows += [("or", line) for line in (problem.command or "").splitlines()]
    more = f"{PROGRAM} explain {one.diagnosis.id}" + ("" if code is None else f" {code}")
    rows.append(("more", more))
    for label, value in rows:
        yield Text.assemble((f"      {label:>8} ", "dim"), visible(value))
    yield Text("")


def _held(one: Diagnosed) -> Text:
    return Text(visible(f"ok    {one.diagnosis.id:<5}{one.diagnosis.title}"))


def _skips(findings: Findings) -> Iterator[Text]:
    """Name each reason once, with the statements that it kept from being tried."""
    reasons: dict[str, list[str]] = {}
    for one, lack in findings.skipped:
        reasons.setdefault(lack.reason, []).append(one.diagnosis.id)
    for reason, ids in reasons.items():
        yield Text.assemble(("skip  ", "yellow"), f"{' '.join(ids)}: {visible(reason)}")
    if reasons:
        yield Text("")


def _summary(findings: Findings) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for name in dict(_GROUPS).values():
        group = [one for one in findings.results if _group(one) == name and one.status != "not concerned"]
        if not group:
            continue
        counts = {status: sum(one.status == status for one in group) for status in ("fail", "error", "hint", "skip")}
        held = sum(one.status in {"pass", "hint"} for one in group)
        words = {"fail": "false", "error": "broken", "hint": "with a hint", "skip": "skipped"}
        told = [f"{held} of {len(group)} hold", *(f"{count} {words[name]}" for name, count in counts.items() if count)]
        table.add_row(Text(name), Text(", ".join(told)))
    return Padding(table, 0, expand=False)


def _flow(branches: tuple[Branch, ...]) -> Iterator[Text]:
    if not branches:
        return
    yield Text("a sign-in shows", style="bold")
    for branch in branches:
        yield Text(visible(f"  {branch.shows}  ({', '.join(branch.checks)})"))
        yield Text(visible(f"    next: {branch.next_command}"))
    yield Text("")


def _group(one: Diagnosed) -> str:
    number = one.diagnosis.order[1]
    return next(name for start, name in reversed(_GROUPS) if number >= start)

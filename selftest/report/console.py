"""Write the results for a terminal: the verdict, then the worst findings, each with its fix, then the rest in short."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Final

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from selftest.base.printable import visible
from selftest.base.program import PROGRAM
from selftest.judge.app_cause import explained
from selftest.judge.statement import COUNTING_LEVELS, LEVELS
from selftest.report.check_groups import SUBJECTS, groups, skips, skips_in_short
from selftest.report.families import Finding, findings
from selftest.report.load_text import load_lines
from selftest.report.results import CheckResult, Results, SignInResult

_SIGNIN_COLUMNS: Final[tuple[JustifyMethod, ...]] = ("left", "left", "right", "left")
#: How many findings are shown whole, and how many ids of one reason, if the reader did not ask for all. As many checks
#: that passed have a line each: a reader who chose a few sees what was tested.
_WORST: Final = 3
_IDS: Final = 12
#: How many ids of a finding with several proofs.
_PROOFS: Final = 4
#: How many reasons of skips have a line each, how many waivers and lost sign-ins, and how long a text of a finding is.
_REASONS: Final = 4
_LINES: Final = 3
_SHOWN_CHARS: Final = 240
#: The checks that show whether an endpoint is at the URL: of a deployed one, who answered is shown with them.
_WHO_ANSWERS: Final = frozenset({"C01", "C91", "T01"})
_COLORS: Final = {"held": "green", "broken": "red", "no-evidence": "yellow", "interrupted": "yellow"}


def show(results: Results, console: Console, *, verbose: bool = False, page: Path | None = None) -> None:
    """Print the report and the path of its page. The console decides whether to use color."""
    for part in _parts(results, verbose=verbose, page=page):
        # The terminal wraps lines of text, so that copied text has no line breaks of ours.
        console.print(part, crop=False, soft_wrap=isinstance(part, Text))


def _parts(results: Results, *, verbose: bool, page: Path | None) -> Iterator[RenderableType]:
    verdict = results.verdict
    yield Text(visible(f"{verdict.sentence}  ({results.duration_s:.1f} s)"), style=f"bold {_COLORS[verdict.outcome]}")
    yield Text(visible(f"target  {results.target.get('url', 'unknown')}  ({results.target.get('mode', 'unknown')})"))
    if page is not None:
        yield Text(visible(f"report  {page}"))
    yield Text("")
    found = findings(results.checks)
    shown = found if verbose else _worst(found)
    for finding in shown:
        yield from _finding(finding, results, verbose=verbose)
    if found and not verbose:
        yield from _others([finding for finding in found if finding not in shown])
        yield Text(f"more  {PROGRAM} explain {found[0].checks[0].id}; all findings: --verbose, or --html FILE")
        yield Text("")
    yield from _not_checked(results, verbose=verbose)
    yield from _passed(results, verbose=verbose)
    if results.signins:
        yield _signins(results.signins, verbose=verbose)
        yield from _why_lost(results.signins)
        warnings = dict.fromkeys(message for signin in results.signins for message in signin.warnings)
        if warnings and (verbose or all(signin.minted for signin in results.signins)):
            yield Text(visible("".join(f"warning  {message}\n" for message in warnings)), "yellow")
    if results.load is not None:
        yield from (Text(visible(line)) for line in load_lines(results.load))
        yield Text("")
    if results.checks:
        yield _summary(results)


def _worst(found: Sequence[Finding]) -> list[Finding]:
    """Return the three worst findings: the first of each level that counts, then those with a fix of their own."""
    first = [next((one for one in found if one.checks[0].level == level), None) for level in LEVELS]
    heads = [one for one in first if one is not None and one.checks[0].level in COUNTING_LEVELS]
    by_fix = {one.fix: one for one in reversed([*heads, *found])}
    own_fix = [one for one in found if one not in heads and by_fix[one.fix] is one]
    chosen = [*heads, *own_fix, *(one for one in found if one not in (*heads, *own_fix))][:_WORST]
    return [one for one in found if one in chosen]


def _shows_answer(check: CheckResult, results: Results, *, verbose: bool = False) -> bool:
    """Whether the report has the start of the response: with --verbose, or if it says who is at the URL."""
    deployed = results.target.get("mode", "").startswith("deployed")
    return check.answer is not None and (verbose or (deployed and check.id in _WHO_ANSWERS))


def _finding(finding: Finding, results: Results, *, verbose: bool) -> Iterator[RenderableType]:
    """Return one finding: what is wrong, its proof, and what to do."""
    worst = finding.checks[0]
    word = "ERROR" if worst.status == "error" else "FAIL" if worst.counts(strict=results.strict) else "warn"
    style = "bold yellow" if word == "warn" else "bold red"
    yield Text.assemble(
        (f"{word:<6}", style), (f"{worst.id:<5}", "bold"), visible(finding.sentence), f"  ({worst.level})"
    )
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    logged = explained(worst.app_lines, fix=False)
    ids = [check.id for check in finding.checks]
    proofs = [("proofs", f"{finding.proofs} ({_some(ids, _PROOFS)})")] if len(ids) > 1 else []
    answer = [("answer", worst.answer or "")] if _shows_answer(worst, results, verbose=verbose) else []
    rows = [("actual", worst.actual), *answer, *proofs, *logged, ("why", worst.why), ("fix", finding.fix)]
    if verbose:
        rows = [("expected", worst.expected), *rows, ("more", f"{PROGRAM} explain {worst.id}")]
    for name, value in rows:
        # The answer is short already, and two gateways may differ in its end only; half a fix helps nobody.
        whole = verbose or name in {"answer", "fix"}
        table.add_row(name, Text(visible(value if whole else shorten(value, _SHOWN_CHARS, placeholder=" …"))))
    if len(ids) > 1 and verbose:
        table.add_row("these", Text(" ".join(ids)))
    yield Padding(table, (0, 0, 0, 6), expand=False)
    if worst.curl is not None and verbose:
        yield Text(visible("\n".join(filter(None, (worst.curl, worst.token_of_curl)))), style="dim")
    yield Text("")


def _others(found: Sequence[Finding]) -> Iterator[RenderableType]:
    """Return the ids of the other findings, one line for each level."""
    for level in LEVELS:
        ids = [check.id for finding in found for check in finding.checks if check.level == level]
        if ids:
            yield Text.assemble(("also  ", "yellow"), f"{level}: {_some(ids)}")


def _passed(results: Results, *, verbose: bool) -> Iterator[RenderableType]:
    """Return the checks that passed, if they are few or all of them are asked for."""
    passed = [check for check in results.checks if check.status == "pass"]
    if not passed or (len(passed) > _IDS and not verbose):
        return
    for check in passed:
        yield Text(visible(f"ok    {check.id:<5}{check.title}: {check.actual}"))
        if _shows_answer(check, results):
            yield Text(visible(f"      answer {check.answer}"))
    yield Text("")


def _not_checked(results: Results, *, verbose: bool) -> Iterator[RenderableType]:
    """Return why checks did not run, and which failures are waived."""
    checks = results.checks
    skipped = [("skip", skip.ids, skip.reason) for skip in (skips if verbose else skips_in_short)(checks)]
    waived = [("waived", (check.id,), check.waiver) for check in checks if check.waiver is not None]
    for lines, limit in ((skipped, _REASONS), (waived, _LINES)):
        shown = lines if verbose or len(lines) <= limit else lines[: limit - 1]
        for word, ids, reason in shown:
            names = " ".join(ids) if verbose else _some(ids)
            yield Text.assemble((f"{word}  ", "yellow"), f"{names}: {visible(reason)}")
        if rest := [name for _, ids, _ in lines[len(shown) :] for name in ids]:
            yield Text.assemble((f"{lines[0][0]}  ", "yellow"), f"{_some(rest)}: see --verbose")
    for check in checks:
        if check.status == "skip" and _shows_answer(check, results, verbose=verbose):
            yield Text(visible(f"      {check.id} answer {check.answer}"))
    if skipped or waived:
        yield Text("")


def _some(ids: Sequence[str], most: int = _IDS) -> str:
    """Return the first ids, and how many more there are."""
    return " ".join(ids if len(ids) <= most else (*ids[:most], f"and {len(ids) - most} more"))


def _signins(signins: tuple[SignInResult, ...], *, verbose: bool) -> RenderableType:
    """Return the sign-ins; if some are lost, the first of those alone."""
    lost = [signin for signin in signins if not signin.minted]
    table = Table.grid(padding=(0, 2))
    for justify in _SIGNIN_COLUMNS:
        table.add_column(justify=justify, no_wrap=True)
    for signin in signins if verbose or not lost else lost[:_LINES]:
        verdict = Text(visible(f"{signin.code} {signin.name}"), "red")
        if signin.minted:
            verdict = (
                Text("WARN token minted by the retry", "yellow") if signin.by_retry else Text("token minted", "green")
            )
        warnings = f"{len(signin.warnings)} warnings" if signin.warnings else ""
        table.add_row(Text(visible(signin.title)), verdict, Text(f"{signin.latency_ms:.1f} ms"), Text(warnings))
    return Group(
        Text(f"sign-ins: {len(signins) - len(lost)} of {len(signins)} got a token", style="bold"),
        Padding(table, (0, 0, 1, 2), expand=False),
    )


def _why_lost(signins: Sequence[SignInResult]) -> Iterator[RenderableType]:
    """Return what is known about the first lost sign-in, or else about the first that needed its retry."""
    known = [signin for signin in signins if signin.app_lines or signin.by_retry]
    if not known:
        return
    shown = min(known, key=lambda signin: signin.minted)
    by_retry = [("actual", warning) for warning in shown.warnings[:1] if shown.by_retry]
    yield Text(visible(f"  why  {shown.title}"), style="bold")
    for label, text in (*by_retry, *explained(shown.app_lines)):
        yield Text(visible(f"       {label:<6} {text}"))
    yield Text("")


def _summary(results: Results) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for group in groups(results.checks):
        parts = [f"{group.held} of {len(group.checks)} passed"]
        failed = sum(number for _, number in group.failed_by_level)
        counting = sum(check.counts(strict=results.strict) for check in group.checks)
        failures = "failed" if counting == failed else f"failed ({counting} of a level that counts)"
        counts = ((failed, failures), (group.waived, "waived"), (group.skipped, "skipped"))
        parts += [f"{count} {word}" for count, word in counts if count]
        table.add_row(Text(group.letter, "bold"), Text(SUBJECTS.get(group.letter, "")), Text(", ".join(parts)))
    return table

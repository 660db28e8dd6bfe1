"""The verdict on a run, from its checks, its sign-ins and its load."""

from collections.abc import Sequence
from typing import Final

from selftest.judge.statement import COUNTING_LEVELS, LEVELS
from selftest.report.check_groups import SUBJECTS
from selftest.report.families import findings
from selftest.report.load_result import LoadResult
from selftest.report.results import NO_ENDPOINT, CheckResult, RunVerdict, SignInResult

_NO_VALID_CALL: Final = (
    "no call with a valid token was made, and an endpoint that refuses everything passes, too (--token-file FILE): "
)


def decide(
    checks: Sequence[CheckResult],
    signins: Sequence[SignInResult] = (),
    load: LoadResult | None = None,
    *,
    strict: bool = False,
    interrupted: bool = False,
    cut_off: str = "what was found so far is kept",
) -> RunVerdict:
    """Return the verdict on a run.

    A failed sign-in or check of the levels sign-in and security fails the run, with ``strict`` a check of any level,
    and so does a crossed threshold of the user's. A check that itself broke counts as failed. Otherwise the verdict is
    INCONCLUSIVE if the load is not valid, or if nothing passed. ``cut_off`` says what became of the results of an
    interrupted run.
    """
    counts = count_checks(checks, strict=strict)
    counts |= {"signins": len(signins), "signins_failed": sum(not signin.minted for signin in signins)}
    counts["signins_by_retry"] = sum(signin.by_retry for signin in signins)
    summary = _summary(counts, load, _played(checks, strict=strict))
    if interrupted:
        return RunVerdict.of("INTERRUPTED", f"{summary}; {cut_off}", counts)
    if counts["signins_failed"] or any(check.counts(strict=strict) for check in checks):
        return RunVerdict.of("FAIL", f"{_worst(checks, strict=strict)}{summary}", counts)
    if load is not None and load.crossed:
        return RunVerdict.of("FAIL", summary, counts)
    if load is not None and not load.valid:
        fault = load.faults[0]
        advice = f"{fault.name} {fault.measured}, wanted {fault.limit}: {fault.recommendation}"
        return RunVerdict.of("INCONCLUSIVE", f"{summary}; the load is not valid: {advice}", counts)
    if not counts["pass"] and not signins:
        tested = len(checks) > counts["skip"] + counts["waived"]
        return RunVerdict.of("INCONCLUSIVE", f"{summary}; nothing {'passed' if tested else 'was tested'}", counts)
    unproved = any(check.uncontrolled for check in checks)
    return RunVerdict.of("PASS", f"{_NO_VALID_CALL if unproved else ''}{summary}", counts)


def count_checks(checks: Sequence[CheckResult], *, strict: bool = False) -> dict[str, int]:
    """Return the number of checks by status, of those that failed by level, and of attacks of levels that count."""
    counts = {status: sum(result.status == status for result in checks) for status in ("pass", "fail", "skip", "error")}
    failed = {f"{level}_failed": sum(result.bad for result in checks if result.level == level) for level in LEVELS}
    attacks = _attacks(checks, strict=strict)
    return {
        **counts,
        **failed,
        "waived": sum(result.waiver is not None for result in checks),
        "attacks": len(attacks),
        "let_in": sum(result.let_in is True for result in attacks),
    }


def _attacks(checks: Sequence[CheckResult], *, strict: bool) -> list[CheckResult]:
    """Return the attacks that were judged, of the levels that count."""
    return [result for result in checks if result.let_in is not None and (strict or result.level in COUNTING_LEVELS)]


def _played(checks: Sequence[CheckResult], *, strict: bool) -> str:
    """Return which attacks are counted, by subject and level: another run counts more, or fewer."""
    attacks = _attacks(checks, strict=strict)
    subjects = " and ".join(name for letter, name in SUBJECTS.items() if any(each.id[0] == letter for each in attacks))
    counted = counted_levels(checks, strict=strict) + ("" if strict else "; --strict counts every level")
    return f"{subjects} attacks ({counted})"


def counted_levels(checks: Sequence[CheckResult], *, strict: bool) -> str:
    """Return of which levels the counted attacks are: ``level security``, or ``every level``."""
    found = {each.level for each in _attacks(checks, strict=strict)}
    return "every level" if strict else f"level {' and '.join(level for level in LEVELS if level in found)}"


def _summary(counts: dict[str, int], load: LoadResult | None, played: str) -> str:
    """Return the counts in words, without those that are 0; ``played`` names the attacks that are counted."""
    parts = [f"{counts['let_in']} of {counts['attacks']} {played} were let in"] if counts["attacks"] else []
    parts += [
        _checks(counts[f"{level}_failed"], f"{level} ", "failed") for level in LEVELS if counts[f"{level}_failed"]
    ]
    parts.append(_checks(counts["pass"], "", "passed"))
    if counts["waived"]:
        parts.append(f"{counts['waived']} waived")
    if counts["skip"]:
        parts.append(f"{counts['skip']} skipped")
    if counts["signins"]:
        by_retry = f" ({counts['signins_by_retry']} by the retry alone)" if counts["signins_by_retry"] else ""
        parts.append(
            f"{counts['signins'] - counts['signins_failed']} of {counts['signins']} sign-ins got a token{by_retry}"
        )
    summary = ", ".join(parts)
    if load is None:
        return summary
    crossed = [f"threshold {one.expression} crossed: {one.measured}" for one in load.crossed]
    return "; ".join([summary, *crossed, *([load.sentence] if load.valid else [])])


def _checks(number: int, kind: str, verb: str) -> str:
    return f"{number:,} {kind}check{'' if number == 1 else 's'} {verb}"


def _worst(checks: Sequence[CheckResult], *, strict: bool) -> str:
    """Return what the worst family of findings allows; nothing if the worst finding is a check of its own."""
    if any(check.stopped for check in checks):
        return "the endpoint stopped answering: "
    if any(check.missed for check in checks):
        return f"{NO_ENDPOINT}: "
    found = findings(checks)
    if (
        not found
        or not found[0].checks[0].counts(strict=strict)
        or found[0].sentence.endswith(found[0].checks[0].title)
    ):
        return ""
    return f"{found[0].sentence}: "

"""The top of the page: the verdict in words, and the most important figures."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from selftest.report.decision import count_checks, counted_levels
from selftest.report.load_result import LoadResult
from selftest.report.results import Results, RunVerdict, StoredOutcome
from selftest.report.units import count, milliseconds, percent

type Tone = Literal["good", "bad", "warn", "plain"]

_TONES: dict[StoredOutcome, Tone] = {"held": "good", "broken": "bad", "no-evidence": "warn", "interrupted": "warn"}
#: What stands between two clauses of a verdict's sentence, but not within parentheses.
_BETWEEN: Final = re.compile(r"[,;:] (?![^(]*\))")
#: What is in parentheses, but for the levels that a number is of.
_IN_PARENTHESES: Final = re.compile(r" \((?!level |every level)[^)]*\)|; --strict counts every level(?=\))")
#: Clauses that are no reason for a verdict other than PASS, and those that are one only with ``--strict``.
_NO_REASON: Final = re.compile(r"0 of |[\d,]+ (checks? passed|waived|skipped)$|(\d+) of \2 sign-ins got ")
_WEAK_REASON: Final = re.compile(r"[\d,]+ (hardening|convention) checks? failed$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The verdict.

    Attributes:
        word: PASS, FAIL, INCONCLUSIVE or INTERRUPTED.
        sentence: The whole sentence.
        reason: Its clause that gives the reason, without what is in parentheses but levels; it is read first.
        figures: What the sentence says besides; the whole sentence if it does not begin with the reason as it is.
        tone: Of the word.
    """

    word: str
    sentence: str
    reason: str
    figures: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure with a label and a note to compare it with."""

    label: str
    value: str
    note: str
    tone: Tone = "plain"


def headline(verdict: RunVerdict) -> Headline:
    """Return the verdict, split into its word, its reason and its figures."""
    word, _, sentence = verdict.sentence.partition("  ")
    reason = _IN_PARENTHESES.sub("", _reason(sentence, verdict.outcome))
    return Headline(
        word=word,
        sentence=sentence or word,
        reason=reason,
        figures=sentence.removeprefix(reason).lstrip(",;: "),
        tone=_TONES[verdict.outcome],
    )


def _reason(sentence: str, outcome: StoredOutcome) -> str:
    """Return the first clause, or the first one that is a reason where the verdict needs one."""
    clauses = _BETWEEN.split(sentence)
    if outcome not in {"broken", "no-evidence"}:
        return clauses[0]
    reasons = [clause for clause in clauses if not _NO_REASON.match(clause)]
    return min(reasons, key=lambda clause: bool(_WEAK_REASON.match(clause)), default=clauses[0])


def tiles(results: Results) -> list[Tile]:
    """Return the figures that this run has."""
    found = _check_tiles(results) if results.checks else []
    if results.signins:
        minted = sum(signin.minted for signin in results.signins)
        total = len(results.signins)
        value = f"{minted} of {total}"
        tone: Tone = "good" if minted == total else "bad"
        found.append(Tile(label="kinds of sign-in got a token", value=value, note="one call each", tone=tone))
    return found + (_load_tiles(results.load) if results.load is not None else [])


def _check_tiles(results: Results) -> list[Tile]:
    counts = count_checks(results.checks, strict=results.strict)
    bad = sum(check.bad for check in results.checks)
    noted = ((bad, "failed"), (counts["waived"], "waived"), (counts["skip"], "skipped"))
    passed = Tile(
        label="checks passed",
        value=f"{count(counts['pass'])} of {count(len(results.checks))}",
        note=", ".join(f"{count(number)} {word}" for number, word in noted if number) or "none failed",
        tone=_tone(results, bad=bool(bad)),
    )
    if not counts["attacks"]:
        return [passed]
    refused = (
        "no valid call to compare with" if any(check.uncontrolled for check in results.checks) else "all were refused"
    )
    let_in = Tile(
        label="attacks let in",
        value=f"{count(counts['let_in'])} of {count(counts['attacks'])}",
        note=f"{counted_levels(results.checks, strict=results.strict)}: "
        + ("answered with 200" if counts["let_in"] else refused),
        tone=_tone(results, bad=bool(counts["let_in"])),
    )
    return [let_in, passed]


def _tone(results: Results, *, bad: bool) -> Tone:
    """Return the tone of failures, which are a warning if none of them counts."""
    if not bad:
        return "good"
    return "bad" if any(check.counts(strict=results.strict) for check in results.checks) else "warn"


def _load_tiles(load: LoadResult) -> list[Tile]:
    counts = load.counts
    lost_note = f"{count(counts.retries)} retried" if counts.retries else "none was retried"
    found = [
        Tile(
            label="sign-ins lost under load",
            value=f"{count(counts.lost)} of {count(counts.signins)}",
            note=lost_note,
            tone="bad" if counts.lost else "good",
        )
    ]
    if load.latency is not None:
        found.append(
            Tile(
                label="99th percentile",
                value=milliseconds(load.latency.p99_ms),
                note=f"of {milliseconds(load.config.budget_ms)}",
                tone="bad" if load.latency.p99_ms > load.config.budget_ms else "plain",
            )
        )
    found.append(
        Tile(
            label="of calls failed or were late",
            value=percent(load.missed_share),
            note=load.proof,
            tone="bad" if load.missed_above > load.config.max_missed_share else "plain",
        )
    )
    if load.cold_starts:
        slowest = max(start.answered_ms - start.listening_ms for start in load.cold_starts)
        found.append(Tile(label="first answer when cold", value=milliseconds(slowest), note="from when it listens"))
    return found

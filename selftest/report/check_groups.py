"""Group check results for a reader: by subject, and the skips by reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from selftest.judge.statement import LEVELS, Level
from selftest.report.results import CheckResult

#: The subject of a check by the first letter of its id.
SUBJECTS: Final[Mapping[str, str]] = {
    "C": "contract",
    "T": "token",
    "B": "body",
    "F": "faults",
    "L": "load",
    "I": "instances",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckGroup:
    """The checks of one letter."""

    letter: str
    checks: tuple[CheckResult, ...]

    @property
    def subject(self) -> str:
        """Return the subject of the letter; empty if it is unknown."""
        return "doctor" if self.letter == "D" else SUBJECTS.get(self.letter, "")

    @property
    def held(self) -> int:
        """Return the number of checks that passed."""
        return sum(check.status == "pass" for check in self.checks)

    @property
    def skipped(self) -> int:
        """Return the number of checks that did not run."""
        return sum(check.status == "skip" for check in self.checks)

    @property
    def waived(self) -> int:
        """Return the number of failed checks that a waiver keeps from counting."""
        return sum(check.waiver is not None for check in self.checks)

    @property
    def failed_by_level(self) -> list[tuple[Level, int]]:
        """Return the levels of which checks failed or broke, with their number, the worst first."""
        numbers = [(level, sum(check.bad for check in self.checks if check.level == level)) for level in LEVELS]
        return [(level, number) for level, number in numbers if number]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipReason:
    """One reason, the failed check that it follows from if there is one, and the ids that did not run for it."""

    reason: str
    cause: str | None
    ids: tuple[str, ...]


def groups(checks: Sequence[CheckResult]) -> list[CheckGroup]:
    """Return the checks grouped by letter, in the order of each letter's first check."""
    return [
        CheckGroup(letter=letter, checks=tuple(check for check in checks if check.id[:1] == letter))
        for letter in dict.fromkeys(check.id[:1] for check in checks)
    ]


def skips(checks: Sequence[CheckResult]) -> list[SkipReason]:
    """Return each reason once."""
    reasons: dict[tuple[str, str | None], list[str]] = {}
    for check in checks:
        if check.status == "skip":
            reasons.setdefault((check.actual, check.cause), []).append(check.id)
    return [SkipReason(reason=reason, cause=cause, ids=tuple(ids)) for (reason, cause), ids in reasons.items()]


def skips_in_short(checks: Sequence[CheckResult]) -> list[SkipReason]:
    """Return the reasons with the most checks first; a group of which no check ran is named once, with its number."""
    whole = {group.letter: group.skipped for group in groups(checks) if group.skipped == len(group.checks) > 1}
    named: set[str] = set()
    found = []
    for skip in sorted(skips(checks), key=lambda each: -len(each.ids)):
        numbers = Counter(check_id[0] for check_id in skip.ids)
        names = [
            _all_of(letter, whole[letter], numbers[letter]) for letter in numbers if letter in whole.keys() - named
        ]
        names += [check_id for check_id in skip.ids if check_id[0] not in whole]
        named |= numbers.keys() & whole.keys()
        if names:
            found.append(replace(skip, ids=tuple(names)))
    return found


def _all_of(letter: str, skipped: int, for_this_reason: int) -> str:
    others = f"; {for_this_reason} for this reason, {skipped - for_this_reason} for others: --verbose"
    return f"{letter} (all {skipped}{'' if for_this_reason == skipped else others})"

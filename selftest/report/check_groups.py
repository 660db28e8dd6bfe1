"""Group check results for a reader: by subject, the failures in the order in which to fix them, the skips by reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from selftest.report.results import CheckResult

#: The subject of a check by the first letter of its id.
SUBJECTS: Final[Mapping[str, str]] = {"C": "contract", "T": "token", "B": "body", "F": "faults", "L": "load"}


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
    def bad(self) -> int:
        """Return the number of checks that failed or broke."""
        return sum(check.bad for check in self.checks)

    def failed(self, level: str) -> int:
        """Return the number of checks of a level that failed or broke."""
        return sum(check.bad for check in self.checks if check.level == level)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipReason:
    """One reason and the ids of the checks that did not run for it."""

    reason: str
    ids: tuple[str, ...]


def groups(checks: Sequence[CheckResult]) -> list[CheckGroup]:
    """Return the checks grouped by letter, in the order of each letter's first check."""
    return [
        CheckGroup(letter=letter, checks=tuple(check for check in checks if check.id[:1] == letter))
        for letter in dict.fromkeys(check.id[:1] for check in checks)
    ]


def failures(checks: Sequence[CheckResult]) -> list[CheckResult]:
    """Return the checks that failed, the worst first."""
    return sorted((check for check in checks if check.bad), key=lambda check: check.rank)


def skips(checks: Sequence[CheckResult]) -> list[SkipReason]:
    """Return each reason once."""
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.status == "skip":
            reasons.setdefault(check.actual, []).append(check.id)
    return [SkipReason(reason=reason, ids=tuple(ids)) for reason, ids in reasons.items()]

"""The checks by subject, the failures in the order in which to mend them, and what could not run and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from selftest.report.results import CheckResult

_SUBJECTS: Final = {"C": "contract", "T": "token", "B": "body", "F": "faults", "L": "load", "D": "doctor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckGroup:
    """The checks of one letter."""

    letter: str
    subject: str
    checks: tuple[CheckResult, ...]

    @property
    def held(self) -> int:
        """Count those that hold."""
        return sum(check.status == "pass" for check in self.checks)

    @property
    def bad(self) -> int:
        """Count those that do not."""
        return sum(check.bad for check in self.checks)

    @property
    def skipped(self) -> int:
        """Count those that did not run."""
        return sum(check.status == "skip" for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """One reason, and the checks that it kept from running."""

    reason: str
    ids: tuple[str, ...]


def groups(checks: Sequence[CheckResult]) -> list[CheckGroup]:
    """Put the checks of a letter together, in the order in which the letters first came."""
    return [
        CheckGroup(
            letter=letter,
            subject=_SUBJECTS.get(letter, ""),
            checks=tuple(check for check in checks if check.id[:1] == letter),
        )
        for letter in dict.fromkeys(check.id[:1] for check in checks)
    ]


def failures(checks: Sequence[CheckResult]) -> list[CheckResult]:
    """Choose what failed: what must hold first."""
    return sorted((check for check in checks if check.bad), key=lambda check: check.level != "must")


def skips(checks: Sequence[CheckResult]) -> list[Skipped]:
    """Name each reason once."""
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.status == "skip":
            reasons.setdefault(check.actual, []).append(check.id)
    return [Skipped(reason=reason, ids=tuple(ids)) for reason, ids in reasons.items()]

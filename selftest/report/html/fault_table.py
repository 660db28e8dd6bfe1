"""The fault checks as a table: what goes wrong, against what the endpoint was told to do about it.

The rows come from the ids and titles in the results, not from the registry, so that a file of another version is shown
as it was. Source: `selftest.checks.faults.matrix` puts the policies 30 numbers apart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from selftest.report.results import CheckResult

POLICIES: Final = ("fail", "omit", "stale")
_APART: Final = 30
#: A number of its own from here on: not one fault under three policies.
_BEYOND_MATRIX: Final = 22
_TITLE: Final = re.compile(r".*?\bwhile (?P<fault>.+?)(?: \((?:fail|omit|stale)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultChecks:
    """One fault, with the check of each policy; None where it was not run."""

    fault: str
    cells: tuple[CheckResult | None, ...]


def fault_rows(checks: Sequence[CheckResult]) -> list[FaultChecks]:
    """Arrange the fault checks that are in the matrix."""
    cells: dict[int, dict[int, CheckResult]] = {}
    for check in checks:
        number = int("".join(filter(str.isdecimal, check.id[1:3])) or 0)
        if check.id.startswith("F") and number < _APART * len(POLICIES) and 0 < number % _APART < _BEYOND_MATRIX:
            cells.setdefault(number % _APART, {})[number // _APART] = check
    return [
        FaultChecks(fault=_fault(next(iter(row.values())).title), cells=tuple(row.get(index) for index in range(3)))
        for _, row in sorted(cells.items())
    ]


def _fault(title: str) -> str:
    match = _TITLE.fullmatch(title)
    return match["fault"] if match else title

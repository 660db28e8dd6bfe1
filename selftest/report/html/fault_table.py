"""Arrange the fault checks as a table: the fault by the failure policy of the endpoint.

The rows come from the ids and titles in the results, not from the registry, so that a file of another version is shown
unchanged. Source: in `selftest.checks.faults.matrix` the policies are 30 numbers apart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from selftest.report.results import CheckResult

POLICIES: Final = ("fail", "omit", "stale")
_APART: Final = 30
#: From this number on a check is not one fault under three policies.
_BEYOND_MATRIX: Final = 22
_TITLE: Final = re.compile(r".*?\bwhile (?P<fault>.+?)(?: \((?:fail|omit|stale)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultChecks:
    """One fault with the check of each policy; None if the check did not run."""

    fault: str
    cells: tuple[CheckResult | None, ...]


def fault_rows(checks: Sequence[CheckResult]) -> list[FaultChecks]:
    """Return the rows of the fault checks that are in the matrix."""
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

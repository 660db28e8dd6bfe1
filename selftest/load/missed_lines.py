"""What the app logged for the calls of a load run that missed the budget: one line for each distinct cause."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from selftest.judge.app_line import AppLine
from selftest.play.app_log import app_lines, host_lines
from selftest.report.load_result import CauseInLog

_MOST: Final = 3
#: The log keeps its last 10,000 lines.
_MOST_CALLS: Final = 10_000


class MissedCalls:
    """Collects the correlation ids of first calls that missed."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def take(self, line: Mapping[str, Any]) -> None:
        """Add a line of the raw file, if it is such a call."""
        if line["kind"] != "call" or line.get("warmup") or not line["attempts"] or len(self._ids) >= _MOST_CALLS:
            return
        if line["attempts"][0]["outcome"] != "in-budget":
            self._ids.add(line["correlation_id"])

    def causes(self, log: Sequence[str]) -> list[CauseInLog]:
        """Return the causes that the log names: first what the host says about the app, then the most frequent."""
        if not self._ids:
            return []
        found: dict[tuple[str, str], list[AppLine]] = defaultdict(list)
        for lines in app_lines(log, self._ids).values():
            first = lines[0]
            found[first.code, first.detail].append(first)
        counted = sorted(found.values(), key=len, reverse=True)
        of_app = [CauseInLog(calls=len(lines), line=max(lines, key=_total_ms)) for lines in counted]
        return [*(CauseInLog(calls=0, line=note) for note in host_lines(log)), *of_app][:_MOST]


def _total_ms(line: AppLine) -> float:
    return line.total_ms or 0.0

"""The calls of a run as columns of numbers, so that five million of them fit into memory.

The lines may come from a file of another machine, so every member is validated.
"""

import math
from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, TypeIs, get_args

from selftest.load.phases import parts_ms
from selftest.report.load_result import AttemptOutcome

OUTCOMES: Final[tuple[AttemptOutcome, ...]] = get_args(AttemptOutcome.__value__)
_FAILED: Final = OUTCOMES.index("failed")
_PLACE: Final = {name: place for place, name in enumerate(OUTCOMES)}
_MAX_ATTEMPTS: Final = 2
#: The endpoint chooses the names, and could use new ones in every response.
_MAX_PHASES: Final = 32


class LineError(ValueError):
    """Raised when a member of a line is missing or invalid; the message names it."""


class Samples:
    """The first calls of the measured part, and the outcomes of their sign-ins.

    Attributes:
        due_s, latency_ms, service_ms, lateness_ms: One entry per sent call, in the order of their ends.
        outcomes: The index in ``OUTCOMES`` of each call.
        lost: Whether the sign-in of each call was lost, 0 or 1.
        logged: The number of first calls by what Entra would log.
        dropped_s: When the calls that were not sent were due.
        phases_ms: By name, one entry per sent call; NaN for a call without the phase.
        warmup_ms: The latency of the calls of the warm-up.
        last_sent_s: When the last call was sent.
    """

    def __init__(self) -> None:
        self.due_s = array("d")
        self.latency_ms = array("d")
        self.service_ms = array("d")
        self.lateness_ms = array("d")
        self.outcomes = array("b")
        self.lost = array("b")
        self.logged: Counter[str] = Counter()
        self.dropped_s = array("d")
        self.phases_ms: dict[str, array[float]] = {}
        self.warmup_ms = array("d")
        self.retries = 0
        self.last_sent_s = 0.0

    def __len__(self) -> int:
        return len(self.due_s)

    def take(self, line: Mapping[str, Any]) -> None:
        """Add one call.

        Raises:
            LineError: The line is not a valid call.
        """
        due_s = number(line, "due_s")
        attempts = line.get("attempts")
        if not isinstance(attempts, list) or len(attempts) > _MAX_ATTEMPTS:
            raise LineError(f"attempts should be a list of at most {_MAX_ATTEMPTS}")
        for attempt in attempts:
            if not isinstance(attempt, Mapping) or attempt.get("outcome") not in _PLACE:
                raise LineError(f"each attempt should have one of the outcomes {', '.join(_PLACE)}")
        if line.get("warmup") is True:
            self.warmup_ms.extend(number(attempt, "end_ms") for attempt in attempts[:1])
        elif attempts:
            self._take_sent(due_s, attempts)
        else:
            self.dropped_s.append(due_s)

    def _take_sent(self, due_s: float, attempts: list[Mapping[str, Any]]) -> None:
        first = attempts[0]
        sent_ms, end_ms = number(first, "sent_ms"), number(first, "end_ms")
        outcome: AttemptOutcome = first["outcome"]
        timing = first.get("server_timing_ms")
        if not isinstance(timing, Mapping) or not all(_is_number(value) for value in timing.values()):
            raise LineError("server_timing_ms should be an object of numbers")
        self._take_phases(parts_ms(timing, end_ms))
        self.due_s.append(due_s)
        self.latency_ms.append(end_ms)
        self.service_ms.append(end_ms - sent_ms)
        self.lateness_ms.append(sent_ms)
        self.outcomes.append(_PLACE[outcome])
        self.lost.append(all(attempt["outcome"] != "in-budget" for attempt in attempts))
        self.logged[_logged(outcome, first.get("code"))] += 1
        self.retries += len(attempts) - 1
        self.last_sent_s = max(self.last_sent_s, due_s + sent_ms / 1000)

    def refused(self, place: int, budget_ms: float) -> bool:
        """Whether a call failed within the budget: such an answer may be fast, but does not count."""
        return self.outcomes[place] == _FAILED and self.latency_ms[place] <= budget_ms

    def _take_phases(self, parts: Mapping[str, float]) -> None:
        """Add one entry to every phase; a new phase starts with a NaN for each earlier call."""
        for name in parts:
            if name not in self.phases_ms and len(self.phases_ms) < _MAX_PHASES:
                self.phases_ms[name] = array("d", [math.nan]) * len(self)
        for name, column in self.phases_ms.items():
            column.append(parts.get(name, math.nan))


def number(line: Mapping[str, Any], name: str) -> float:
    """Return a member that must be a number.

    Raises:
        LineError: The member is not a number.
    """
    value = line.get(name)
    if not _is_number(value):
        raise LineError(f"{name} should be a number")
    return float(value)


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _logged(outcome: AttemptOutcome, code: object) -> str:
    return "minted" if outcome == "in-budget" else str(code) if isinstance(code, int) else "failed"

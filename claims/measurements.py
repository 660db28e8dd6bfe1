"""What one request measured of itself: the time of each phase, and which caches had what was needed.

A provider chooses names freely, so everything that is recorded is reduced to a short name of safe characters and is
limited in number. Recording never fails and never costs an answer.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, NamedTuple

#: The characters of an HTTP token without those that a log or a query would have to quote.
#: Source: RFC 9110 section 5.6.2; W3C Server Timing section 4 (a metric's name is a token).
_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")
MAX_NAME_CHARACTERS: Final = 32
#: Names of one kind in one request; the rest count as `OTHER`.
MAX_NAMES: Final = 16
OTHER: Final = "other"
#: Hold the whole request's time and the whole provider's, so no phase within may have these names.
TOTAL: Final = "total"
PROVIDER: Final = "provider"
_RESERVED: Final = frozenset({"", TOTAL, PROVIDER})
#: Failures in the background that a provider can note for one request.
MAX_NOTES: Final = 2


def safe_name(name: object) -> str:
    """Reduce anything to a name of at most `MAX_NAME_CHARACTERS` token characters."""
    if type(name) is str and len(name) <= MAX_NAME_CHARACTERS and name.isascii() and name.isidentifier():
        return OTHER if name in _RESERVED else name  # nearly all are
    if not isinstance(name, str):
        return OTHER
    reduced = _NOT_IN_NAME.sub("_", str.__getitem__(name, slice(MAX_NAME_CHARACTERS)))
    return OTHER if reduced in _RESERVED else reduced


class _PhaseTimer:
    """Adds up the blocks of one phase; where they overlap, the time counts once."""

    __slots__ = ("_clock", "_open", "_since_s", "_spent_s")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open = 0
        self._since_s = 0.0
        self._spent_s = 0.0

    def __enter__(self) -> None:
        if not self._open:
            self._since_s = self._clock()
        self._open += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open -= 1
        if not self._open:
            self._spent_s += self._clock() - self._since_s

    def spent_s(self, now_s: float) -> float:
        """Return the time until now, also of a phase that goes on: a late answer waited for it."""
        return self._spent_s + (now_s - self._since_s if self._open else 0.0)


class Timings(NamedTuple):
    """How long a request took.

    Attributes:
        total_ms: From its beginning.
        phases_s: Each phase; the endpoint's own first, in the order in which they ended.
        phases_json: The same in milliseconds, as members of a JSON object, down to the microsecond: as many digits as
            the clock is worth. Names and numbers need no escape.
    """

    total_ms: float
    phases_s: Mapping[str, float]
    phases_json: str

    def phases_ms(self) -> dict[str, float]:
        """Return each phase in milliseconds."""
        return {name: spent_s * 1000 for name, spent_s in self.phases_s.items()}

    def server_timing(self) -> str:
        """Return the value of a ``Server-Timing`` header (W3C Server Timing), durations in milliseconds."""
        members = f'{self.phases_json},"{TOTAL}":{self.total_ms:.3f}'
        return members.lstrip(",")[1:].replace('":', ";dur=").replace(',"', ", ")


class Measurements:
    """Measures one request against its budget.

    Attributes:
        budget_ms: The answer must leave within this many milliseconds from `start_s`.
        start_s: When the request began, by the clock.
        cache_hits: By the cache's name, whether it had what was asked for.
        failing: By a name, why background work fails that this request did not need.
    """

    __slots__ = (
        "_clock",
        "_names_left",
        "_since_s",
        "_spent_s",
        "_step",
        "_timers",
        "budget_ms",
        "cache_hits",
        "failing",
        "start_s",
    )

    def __init__(self, *, budget_ms: int, clock: Callable[[], float]) -> None:
        self.budget_ms = budget_ms
        self.start_s = clock()
        self.cache_hits: dict[str, bool] = {}
        self.failing: dict[str, object] = {}
        self._clock = clock
        #: The endpoint's own phase that goes on ("" between them), when it began, and what was spent before.
        self._step, self._since_s = "", self.start_s
        self._spent_s = {"": 0.0}
        self._timers: dict[str, _PhaseTimer] = {}
        self._names_left = MAX_NAMES - 1  # and `OTHER`

    def remaining_s(self) -> float:
        """Return how much of the budget is left, in seconds; never less than zero."""
        return max(0.0, self.start_s + self.budget_ms / 1000 - self._clock())

    def begin(self, name: str) -> None:
        """Begin a phase that lasts until the next one, or until `end`: the endpoint's own follow one another."""
        now_s, spent_s, step = self._clock(), self._spent_s, self._step
        spent_s[step] = spent_s.get(step, 0.0) + now_s - self._since_s
        self._step, self._since_s = name, now_s

    def end(self) -> None:
        """End the phase that began last."""
        self.begin("")

    def add(self, name: str, since_s: float) -> None:
        """Add the time since then, by the clock, to a phase."""
        self._spent_s[name] = self._spent_s.get(name, 0.0) + self._clock() - since_s

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Return a context manager that adds a block's duration to a phase, whatever else goes on."""
        timer = self._timers.get(name)
        if timer is None:
            timer = self._timers[name] = _PhaseTimer(self._clock)
        return timer

    def provider_phase(self, name: object) -> AbstractContextManager[None]:
        """Return a context manager that adds a block's duration to a phase whose name a provider chose."""
        reduced = safe_name(name)
        if reduced not in self._timers:
            if self._names_left:
                self._names_left -= 1
            else:
                reduced = OTHER
        return self.phase(reduced)

    def cache_hit(self, name: object, hit: object) -> None:
        """Record whether a cache had what was asked for."""
        reduced = safe_name(name)
        if reduced not in self.cache_hits and len(self.cache_hits) >= MAX_NAMES - 1:
            reduced = OTHER
        self.cache_hits[reduced] = bool(hit)

    def note_failing(self, name: object, reason: object) -> None:
        """Record that background work fails; of more than `MAX_NOTES` the rest are left out."""
        if len(self.failing) < MAX_NOTES:
            self.failing[safe_name(name)] = reason

    def timings(self) -> Timings:
        """Return how long the request has taken until now."""
        now_s = self._clock()
        spent_s = self._spent_s.copy()
        spent_s[self._step] = spent_s.get(self._step, 0.0) + now_s - self._since_s
        del spent_s[""]
        for name, timer in self._timers.items():
            spent_s[name] = spent_s.get(name, 0.0) + timer.spent_s(now_s)
        phases_json = ",".join([f'"{name}":{seconds * 1000:.3f}' for name, seconds in spent_s.items()])
        return Timings((now_s - self.start_s) * 1000, spent_s, phases_json)

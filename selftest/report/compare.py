"""Compare two runs: what changed, and which other differences may explain it. Other modules write the forms.

``a`` is the earlier run, ``b`` the one to judge. Differences of machines, versions and settings come first, because a
figure from another machine proves nothing about the code.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

from yarl import URL

from selftest.base.loopback import is_loopback_host
from selftest.judge.statement import LEVELS, Level
from selftest.report.load_result import LoadResult
from selftest.report.results import CheckResult, Results, SignInResult

#: In the order of the report.
type ChangeKind = Literal["newly failing", "newly waived", "newly passing", "no longer run", "run again", "new", "gone"]
type Unit = Literal["ms", "count", "percent", "per_second"]
KINDS: Final[tuple[ChangeKind, ...]] = get_args(ChangeKind.__value__)
#: In the sentence; the list of changes has all of them.
_MOST_NAMED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference in how the runs were made; "-" for a run without the value."""

    name: str
    a: str
    b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A check or a sign-in with another result; None for a run without it.

    Attributes:
        id: The id of the check, or the variety of the sign-in.
        level: The level of the check; a sign-in has the level of that name.
        a: The result: pass, fail, error, skip or waived; for a sign-in "minted" or the code.
        actual: What was observed in ``b``, or in ``a`` if it is gone.
    """

    kind: ChangeKind
    id: str
    level: Level
    title: str
    a: str | None
    b: str | None
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureChange:
    """One figure of both runs; None for a run without it."""

    name: str
    unit: Unit
    a: float | None
    b: float | None

    @property
    def ratio(self) -> float | None:
        """Return b divided by a; None where that is not a number."""
        return None if self.a is None or self.b is None or self.a <= 0 else self.b / self.a


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """Both runs and their differences.

    Attributes:
        worse: What passed in ``a`` and fails ``b``: ids of checks with their level, kinds of sign-in, and thresholds.
        invalid: The runs ("A", "B") with an invalid load.
    """

    a: Results
    b: Results
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    figures: tuple[FigureChange, ...]
    worse: tuple[str, ...]
    invalid: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Return 1 if something passed in ``a`` and fails ``b``, else 0."""
        return 1 if self.worse else 0

    @property
    def sentence(self) -> str:
        """Return the comparison in one line."""
        counts = [(sum(change.kind == kind for change in self.changes), kind) for kind in KINDS]
        summary = ", ".join(f"{number} {kind}" for number, kind in counts if number) or "no check changed"
        if self.worse:
            rest = f" and {len(self.worse) - _MOST_NAMED} more" if len(self.worse) > _MOST_NAMED else ""
            return f"WORSE  {summary}; no longer passed: {', '.join(self.worse[:_MOST_NAMED])}{rest}"
        return f"NO WORSE  {summary}; everything that counts and passed still passes"


def compare(a: Results, b: Results) -> RunComparison:
    """Return the comparison of two runs."""
    changes = sorted(
        [*_check_changes(a.checks, b.checks), *_signin_changes(a.signins, b.signins)],
        key=lambda change: (KINDS.index(change.kind), LEVELS.index(change.level)),
    )
    return RunComparison(
        a=a,
        b=b,
        differences=tuple(_differences(a, b)),
        changes=tuple(changes),
        figures=tuple(_figures(a, b)),
        worse=tuple(_worse(a, b)),
        invalid=tuple(name for name, run in (("A", a), ("B", b)) if run.load is not None and not run.load.valid),
    )


def _worse(a: Results, b: Results) -> Iterator[str]:
    held = {check.id for check in a.checks if check.status == "pass"}
    for level in LEVELS:
        failed = (check for check in b.checks if check.level == level and check.counts(strict=b.strict))
        yield from (f"{check.id} ({level})" for check in failed if check.id in held)
    minted = {signin.variety for signin in a.signins if signin.minted}
    yield from (signin.variety for signin in b.signins if not signin.minted and signin.variety in minted)
    kept = set() if a.load is None else {threshold.expression for threshold in a.load.thresholds if threshold.held}
    crossed = [] if b.load is None else b.load.crossed
    yield from (threshold.expression for threshold in crossed if threshold.expression in kept)


def _check_changes(a: tuple[CheckResult, ...], b: tuple[CheckResult, ...]) -> Iterator[Change]:
    before, after = {check.id: check for check in a}, {check.id: check for check in b}
    for check_id in dict.fromkeys([*before, *after]):
        old, new = before.get(check_id), after.get(check_id)
        shown = new or old
        kind = _kind(old, new)
        if kind is not None and shown is not None:
            yield Change(
                kind=kind,
                id=check_id,
                level=shown.level,
                title=shown.title,
                a=None if old is None else _state(old),
                b=None if new is None else _state(new),
                actual=shown.actual,
            )


def _kind(old: CheckResult | None, new: CheckResult | None) -> ChangeKind | None:
    if new is None:
        return "gone"
    if old is None:
        return "newly failing" if new.bad else "new"
    if old.bad == new.bad and (_state(old) == _state(new) or new.bad):
        return None
    if new.bad:
        return "newly failing"
    if new.waiver is not None:
        return "newly waived"
    if new.status == "skip":
        return "no longer run"
    return "run again" if old.status == "skip" else "newly passing"


def _state(check: CheckResult) -> str:
    return check.status if check.waiver is None else "waived"


def _signin_changes(a: tuple[SignInResult, ...], b: tuple[SignInResult, ...]) -> Iterator[Change]:
    before = {signin.variety: signin for signin in a}
    for new in b:
        old = before.get(new.variety)
        if old is not None and old.minted != new.minted:
            yield Change(
                kind="newly passing" if new.minted else "newly failing",
                id=new.variety,
                level="sign-in",
                title=new.title,
                a=_ended(old),
                b=_ended(new),
                actual=new.reason,
            )


def _ended(signin: SignInResult) -> str:
    return "minted" if signin.minted else f"{signin.code} {signin.name}"


def _differences(a: Results, b: Results) -> Iterator[Difference]:
    for name, old, new in (
        *_pairs("", a.environment, b.environment),
        *_pairs("harness ", a.tool, b.tool),
        *_pairs("target ", _place(a.target), _place(b.target)),
        *_pairs("load ", _asked(a.load), _asked(b.load)),
        ("strict", str(a.strict), str(b.strict)),
    ):
        if old != new:
            yield Difference(name=name, a=old, b=new)


def _pairs(prefix: str, a: dict[str, str], b: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys([*a, *b]):
        yield prefix + name, a.get(name, "-"), b.get(name, "-")


def _place(target: dict[str, str]) -> dict[str, str]:
    """Return the target without the port of a loopback address, which differs in each run."""
    try:
        url = URL(target.get("url", ""))
        local = is_loopback_host(url.host or "")
    except ValueError:  # not a URL, in a file from elsewhere
        return target
    return {**target, "url": str(url.with_port(None))} if local else target


def _asked(load: LoadResult | None) -> dict[str, str]:
    return {} if load is None else {name: str(value) for name, value in asdict(load.config).items()}


def _figures(a: Results, b: Results) -> Iterator[FigureChange]:
    if a.load is None and b.load is None:
        return
    before, after = _load_figures(a.load), _load_figures(b.load)
    for (name, unit), old in before.items():
        new = after[name, unit]
        if old is not None or new is not None:
            yield FigureChange(name=name, unit=unit, a=old, b=new)


def _load_figures(load: LoadResult | None) -> dict[tuple[str, Unit], float | None]:
    latency = None if load is None else load.latency
    counts = None if load is None else load.counts
    cold = [] if load is None else sorted(start.answered_ms for start in load.cold_starts)
    return {
        ("50 % of calls", "ms"): None if latency is None else latency.p50_ms,
        ("90 %", "ms"): None if latency is None else latency.p90_ms,
        ("95 %", "ms"): None if latency is None else latency.p95_ms,
        ("99 %", "ms"): None if latency is None else latency.p99_ms,
        ("99.9 %", "ms"): None if latency is None else latency.p99_9_ms,
        ("the slowest", "ms"): None if latency is None else latency.max_ms,
        ("sign-ins due", "count"): None if counts is None else counts.signins,
        ("calls that failed or were late", "count"): None if counts is None else counts.first_calls_missed,
        ("sign-ins lost", "count"): None if counts is None else counts.lost,
        ("share that failed or was late", "percent"): None if load is None else load.missed_share,
        ("rate sent", "per_second"): None if load is None else load.achieved_rate_per_s,
        ("cold start to first answer", "ms"): cold[len(cold) // 2] if cold else None,
    }

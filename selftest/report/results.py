"""The results of one run: what every report is made from, and what is kept in a file.

The file's form is an interface: ``results.schema.json`` describes it, ``schema_version`` names it, and every number
carries its unit in its name. Nothing here reads a file; ``stored`` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

from selftest.base.run_outcome import EXIT_CODES, RunOutcome
from selftest.judge.statement import Level, Status
from selftest.report.load_result import LoadResult

SCHEMA_VERSION: Final = "1.1"

type StoredOutcome = Literal["held", "broken", "no-evidence", "interrupted"]
_LEVELS: Final = ("must", "should")
#: The outcome as the file has it, by the word that a reader sees.
_STORED_OUTCOMES: Final[Mapping[RunOutcome, StoredOutcome]] = {
    "PASS": "held",
    "FAIL": "broken",
    "INCONCLUSIVE": "no-evidence",
    "INTERRUPTED": "interrupted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check and what it found.

    Attributes:
        status: ``error`` when the check itself broke, which proves nothing and counts as failed.
        curl: Repeats the request; holds no token and no name.
        latency_ms: The deciding request's time, if there was one.
        duration_ms: The whole check's time, with its controls.
    """

    id: str
    title: str
    level: Level
    status: Status
    expected: str
    actual: str
    why: str
    fix: str
    source: str
    curl: str | None
    latency_ms: float | None
    duration_ms: float

    @property
    def bad(self) -> bool:
        """Say whether the statement does not hold, or could not be tested for a reason of our own."""
        return self.status in {"fail", "error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInResult:
    """One sign-in that was played.

    Attributes:
        variety: Which documented event was sent.
        code: What Entra would log; None when it would mint a token.
        latency_ms: From when the call was due until its last attempt ended.
    """

    variety: str
    title: str
    code: int | None
    name: str | None
    minted: bool
    reason: str
    attempts: int
    latency_ms: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunVerdict:
    """The verdict on a run and the exit code that goes with it.

    Attributes:
        sentence: The word PASS, FAIL, INCONCLUSIVE or INTERRUPTED, two spaces, and the reason.
        counts: The number of checks by status, and "must_failed", "should_failed", "signins" and "signins_failed".
    """

    outcome: StoredOutcome
    exit_code: int
    sentence: str
    counts: dict[str, int]

    @classmethod
    def of(cls, outcome: RunOutcome, reason: str, counts: dict[str, int]) -> Self:
        """Return the verdict with its exit code and its sentence."""
        return cls(
            outcome=_STORED_OUTCOMES[outcome],
            exit_code=EXIT_CODES[outcome],
            sentence=f"{outcome}  {reason}",
            counts=counts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything that one run found.

    Attributes:
        tool: Name and version of the harness.
        environment: What the numbers depend on: Python, platform, processors.
        target: Host and mode of the endpoint; never its query, which can hold a key.
        started_at: ISO 8601 in UTC.
        load: What a load run found; None where none was played.
    """

    tool: dict[str, str]
    environment: dict[str, str]
    target: dict[str, str]
    started_at: str
    duration_s: float
    strict: bool
    checks: tuple[CheckResult, ...]
    verdict: RunVerdict
    signins: tuple[SignInResult, ...] = ()
    load: LoadResult | None = None
    schema_version: str = SCHEMA_VERSION

    def as_json(self) -> dict[str, Any]:
        """Give the members as JSON has them; lists where there are tuples."""
        members = asdict(self)
        return {"schema_version": members.pop("schema_version"), **_lists(members)}


def decide(
    checks: Sequence[CheckResult],
    signins: Sequence[SignInResult] = (),
    load: LoadResult | None = None,
    *,
    strict: bool = False,
    interrupted: bool = False,
    cut_off: str = "what was found so far is kept",
) -> RunVerdict:
    """Make the verdict.

    Every must has to hold; with ``strict`` every should as well. A check that itself broke counts as failed. Where
    nothing at all could be found out there is no verdict on the endpoint: exit code 3. The same where a load was played
    that is not valid, unless something else has failed: what fails beyond doubt fails.

    Args:
        checks: What was checked.
        signins: What was played.
        load: What a load run found.
        strict: Whether a should that fails makes the run fail.
        interrupted: Whether the run did not come to its end.
        cut_off: What to say of that.
    """
    counts = count_checks(checks)
    counts |= {"signins": len(signins), "signins_failed": sum(not signin.minted for signin in signins)}
    told = _told(counts, load)
    if interrupted:
        return RunVerdict.of("INTERRUPTED", f"{told}; {cut_off}", counts)
    if counts["must_failed"] or counts["signins_failed"] or (strict and counts["should_failed"]):
        return RunVerdict.of("FAIL", told, counts)
    if load is not None and not load.valid:
        fault = load.faults[0]
        advice = f"{fault.name} {fault.measured}, wanted {fault.limit}: {fault.recommendation}"
        return RunVerdict.of("INCONCLUSIVE", f"{told}; the load proves nothing: {advice}", counts)
    if len(checks) == counts["skip"] and not signins:
        return RunVerdict.of("INCONCLUSIVE", f"{told}; nothing was proved", counts)
    return RunVerdict.of("PASS", told, counts)


def count_checks(checks: Sequence[CheckResult]) -> dict[str, int]:
    """Return the number of checks by status, and of those that failed by level."""
    counts = {status: sum(result.status == status for result in checks) for status in ("pass", "fail", "skip", "error")}
    failed = {f"{level}_failed": sum(result.bad for result in checks if result.level == level) for level in _LEVELS}
    return counts | failed


def _told(counts: dict[str, int], load: LoadResult | None) -> str:
    """Say the counts in words; what is zero and expected to be is left out."""
    held = counts["pass"]
    parts = ["1 check holds" if held == 1 else f"{held} checks hold"]
    for name, words in (("must_failed", "must fail"), ("should_failed", "should fail"), ("skip", "skipped")):
        if counts[name]:
            parts.append(f"{counts[name]} {words}")
    if counts["signins"]:
        parts.append(f"{counts['signins'] - counts['signins_failed']} of {counts['signins']} sign-ins minted")
    told = ", ".join(parts)
    return told if load is None or not load.valid else f"{told}; {load.sentence}"


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lists(item) for name, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value

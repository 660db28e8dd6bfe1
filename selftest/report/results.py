"""The results of one run: what every report is made from, and what is kept in a file.

The file's form is an interface: ``results.schema.json`` describes it, ``schema_version`` names it, and every number
carries its unit in its name. Nothing here reads a file; ``stored`` does.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from selftest.report.load_result import LoadResult

SCHEMA_VERSION: Final = "1.1"

EXIT_HELD: Final = 0
EXIT_BROKEN: Final = 1
EXIT_NO_EVIDENCE: Final = 3
EXIT_INTERRUPTED: Final = 130

type Level = Literal["must", "should"]
type Status = Literal["pass", "fail", "skip", "error"]
type Outcome = Literal["held", "broken", "no-evidence", "interrupted"]


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
class Verdict:
    """The sentence at the end, and the exit code that goes with it.

    Attributes:
        counts: Checks by status, and beside them "must_failed", "should_failed", "signins" and "signins_failed".
    """

    outcome: Outcome
    exit_code: int
    sentence: str
    counts: dict[str, int]


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
    verdict: Verdict
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
) -> Verdict:
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
    must_failed = sum(result.bad for result in checks if result.level == "must")
    should_failed = sum(result.bad for result in checks if result.level == "should")
    signins_failed = sum(not signin.minted for signin in signins)
    counts = {status: sum(result.status == status for result in checks) for status in ("pass", "fail", "skip", "error")}
    counts |= {"must_failed": must_failed, "should_failed": should_failed}
    counts |= {"signins": len(signins), "signins_failed": signins_failed}
    proved = len(checks) - counts["skip"] + len(signins)
    told = _told(counts, load)

    def verdict(outcome: Outcome, exit_code: int, sentence: str) -> Verdict:
        return Verdict(outcome=outcome, exit_code=exit_code, sentence=sentence, counts=counts)

    if interrupted:
        return verdict("interrupted", EXIT_INTERRUPTED, f"INTERRUPTED  {told}; {cut_off}")
    if must_failed or signins_failed or (strict and should_failed):
        return verdict("broken", EXIT_BROKEN, f"FAIL  {told}")
    if load is not None and not load.valid:
        fault = load.faults[0]
        advice = f"{fault.name} {fault.measured}, wanted {fault.limit}: {fault.recommendation}"
        return verdict("no-evidence", EXIT_NO_EVIDENCE, f"INCONCLUSIVE  {told}; the load proves nothing: {advice}")
    if not proved:
        return verdict("no-evidence", EXIT_NO_EVIDENCE, f"INCONCLUSIVE  {told}; nothing was proved")
    return verdict("held", EXIT_HELD, f"PASS  {told}")


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

"""The results of one run, from which every report is made and which are stored in a file.

The form of the file is an interface: ``results.schema.json`` describes it, ``schema_version`` names it, and every
number has its unit in its name. `selftest.report.stored` reads the file.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

from selftest.base.cannot_run import FAILED, INTERRUPTED, NOT_ENOUGH_EVIDENCE, PASSED
from selftest.base.program import command_line
from selftest.judge.app_line import AppLine
from selftest.judge.statement import COUNTING_LEVELS, LEVELS, Level, Status
from selftest.report.load_result import CauseInLog, LoadResult

#: A file of the same major version can be read.
SCHEMA_MAJOR: Final = "3."
SCHEMA_VERSION: Final = f"{SCHEMA_MAJOR}0"

#: How a command ends: one of four words, each with its exit code.
type RunOutcome = Literal["PASS", "FAIL", "INCONCLUSIVE", "INTERRUPTED"]
EXIT_CODES: Final[Mapping[RunOutcome, int]] = {
    "PASS": PASSED,
    "FAIL": FAILED,
    "INCONCLUSIVE": NOT_ENOUGH_EVIDENCE,
    "INTERRUPTED": INTERRUPTED,
}

type StoredOutcome = Literal["held", "broken", "no-evidence", "interrupted"]
#: The outcome as the file has it, by the word that a reader sees.
_STORED_OUTCOMES: Final[Mapping[RunOutcome, StoredOutcome]] = {
    "PASS": "held",
    "FAIL": "broken",
    "INCONCLUSIVE": "no-evidence",
    "INTERRUPTED": "interrupted",
}

#: How the result of a check begins during which the endpoint stopped answering.
STOPPED: Final = "the endpoint answered before this check, and stopped answering"
#: How the result of the first call ends if its status says that there is no such function.
NO_ENDPOINT: Final = "no endpoint answers POST at this path"
#: How the result of an attack ends that no valid call was compared with.
NO_CONTROL: Final = "(without a control, because there is no valid token)"
#: The groups of checks in the order of their findings, on one level.
_GROUPS: Final = "CTBFLI"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check.

    Attributes:
        status: ``error`` if the check itself broke, which counts as failed.
        curl: A command that repeats the request, without a token or the name of a person.
        latency_ms: The time of the deciding request, if there was one.
        duration_ms: The time of the whole check, with its control requests.
        let_in: Whether an attack was answered 200; None if this was no attack, or if its answer is unknown.
        cause: For a skip, the check from whose failure it follows; for a failure, the family that it proves.
        waiver: Why the failure does not count and until when; None if it counts.
        app_lines: What the app's log says about the request of a failure, if the log can be read.
        answer: The ``Server`` header and the start of the body of the deciding response, without tokens; None if it was
            a reply with claims.
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
    let_in: bool | None = None
    cause: str | None = None
    waiver: str | None = None
    app_lines: tuple[AppLine, ...] = ()
    answer: str | None = None

    @property
    def token_of_curl(self) -> str | None:
        """Return what ``$TOKEN`` in the command stands for; None if it has none. No report contains a token."""
        if self.curl is None or "$TOKEN" not in self.curl:
            return None
        again = f"`{command_line(f'check {self.id}')}` with this run's flags sends such a token again"
        return f"$TOKEN stands for the token that {self.id} sends. No token is printed: {again}."

    @property
    def bad(self) -> bool:
        """Whether the check failed or broke and is not waived."""
        return self.status in {"fail", "error"} and self.waiver is None

    @property
    def stopped(self) -> bool:
        """Whether the endpoint stopped answering during this check."""
        return self.status == "error" and self.actual.startswith(STOPPED)

    @property
    def missed(self) -> bool:
        """Whether the check failed because no endpoint is at the URL."""
        return self.bad and self.actual.endswith(NO_ENDPOINT)

    @property
    def uncontrolled(self) -> bool:
        """Whether a refused attack proves nothing by itself, because no valid call was answered with 200."""
        return self.let_in is False and self.actual.endswith(NO_CONTROL)

    @property
    def rank(self) -> tuple[int, bool, int, int]:
        """Return the sort key that puts the worst first: a forged token lets in more than an odd body."""
        return LEVELS.index(self.level), self.let_in is not True, _GROUPS.find(self.id[0]), int(self.id[1:])

    def counts(self, *, strict: bool) -> bool:
        """Whether the check fails the run."""
        return self.bad and (strict or self.level in COUNTING_LEVELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInResult:
    """The result of one sign-in.

    Attributes:
        variety: The documented event that was sent.
        code: What Entra would log; None if it would mint a token.
        latency_ms: The time from when the call was due until its last attempt ended.
        app_lines: What the app's log says, if it can be read and the first attempt failed.
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
    app_lines: tuple[AppLine, ...] = ()

    @property
    def by_retry(self) -> bool:
        """Whether the token was minted only because there was a second attempt."""
        return self.minted and self.attempts > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunVerdict:
    """The verdict on a run and the exit code that goes with it.

    Attributes:
        sentence: The word PASS, FAIL, INCONCLUSIVE or INTERRUPTED, two spaces, and the reason.
        counts: The number of checks by status and of those that failed by level ("sign-in_failed"), "waived",
            "attacks" of the counting levels that were judged and "let_in" of them, "signins", "signins_failed" and
            "signins_by_retry".
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
    """The results of one run.

    Attributes:
        tool: Name and version of the harness.
        environment: What the numbers depend on: Python, platform, processors.
        target: URL and mode of the endpoint, without its query, which can contain a key.
        started_at: ISO 8601 in UTC.
        strict: Whether every failed check fails the run, and not those of the levels sign-in and security alone.
        load: The result of the load run; None without one.
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
        """Return the members for JSON, with lists in place of tuples."""
        members = as_members(self)
        return {"schema_version": members.pop("schema_version"), **members}


def as_members(found: Results | CheckResult | SignInResult | CauseInLog) -> dict[str, Any]:
    """Return the members of a result for JSON, with lists in place of tuples."""
    members: dict[str, Any] = _lists(asdict(found))
    return members


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lists(item) for name, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value

"""Runs the statements on a case, and sums up what they found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from selftest.base.run_outcome import EXIT_CODES, RunOutcome
from selftest.judge.codes import CODES
from selftest.tenant.doctor.case import Case, Lack
from selftest.tenant.doctor.diagnosis import CannotTell, Diagnosis, NotConcerned, Problem

type Status = Literal["pass", "fail", "hint", "skip", "error", "not concerned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosed:
    """One statement and what became of it.

    Attributes:
        problems: the places where it is false; with hints among them where it is true otherwise.
        lack: for a skip, the reason.
    """

    diagnosis: Diagnosis
    status: Status
    problems: tuple[Problem, ...] = ()
    lack: Lack | None = None

    def code_of(self, problem: Problem) -> int | str | None:
        """Give the code that Entra would show."""
        return self.diagnosis.code if problem.code is None else problem.code

    def as_json(self, problem: Problem) -> dict[str, Any]:
        """Give one problem as the command line prints it."""
        return {
            "check": self.diagnosis.id,
            "code": self.code_of(problem),
            "title": self.diagnosis.title,
            "expected": problem.expected,
            "actual": problem.actual,
            "fix": fix_of(self.diagnosis, problem),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All of it, in the order of the ids.

    Attributes:
        complete: whether what was asked for could be looked at: without that nothing passes.
    """

    results: tuple[Diagnosed, ...]
    complete: bool

    @property
    def faults(self) -> tuple[tuple[Diagnosed, Problem], ...]:
        """List what is wrong."""
        return tuple((one, problem) for one in self.results for problem in one.problems if not _is_hint(one, problem))

    @property
    def hints(self) -> tuple[tuple[Diagnosed, Problem], ...]:
        """List what is worth a look."""
        return tuple((one, problem) for one in self.results for problem in one.problems if _is_hint(one, problem))

    @property
    def skipped(self) -> tuple[tuple[Diagnosed, Lack], ...]:
        """List what could not be looked at."""
        return tuple((one, one.lack) for one in self.results if one.status == "skip" and one.lack is not None)

    @property
    def outcome(self) -> RunOutcome:
        """Say it in a word."""
        if self.faults:
            return "FAIL"
        held = any(one.status in {"pass", "hint"} for one in self.results)
        return "PASS" if held and self.complete else "INCONCLUSIVE"

    @property
    def exit_code(self) -> int:
        """Give the exit code: 0 all hold, 1 something is wrong, 3 not enough was seen."""
        return EXIT_CODES[self.outcome]

    @property
    def verdict(self) -> str:
        """Say it in the sentence that ends the report."""
        tried = [one for one in self.results if one.status not in {"skip", "not concerned"}]
        held = sum(one.status in {"pass", "hint"} for one in tried)
        counts = f"{held} of {len(tried)} statements hold"
        rest = f", {len(self.skipped)} skipped" if self.skipped else ""
        if self.outcome == "FAIL":
            count = len(self.faults)
            told = "; ".join(dict.fromkeys(_named(one, problem) for one, problem in self.faults))
            return f"FAIL  {count} finding{'s' if count > 1 else ''}: {told}"
        if self.outcome == "PASS":
            return f"PASS  {counts}{rest}"
        return f"INCONCLUSIVE  {counts}{rest}: not enough could be looked at"


def diagnose(case: Case, diagnoses: Iterable[Diagnosis]) -> Findings:
    """Try every statement. One that breaks is a result of its own, and never a pass."""
    results = [_try(diagnosis, case) for diagnosis in diagnoses]
    told = {one.code_of(problem) for one in results if not one.diagnosis.echo for problem in one.problems}
    results = [_without_echo(one, told) for one in results]
    asked = any(one.lack is not None and one.lack.asked for one in results)
    return Findings(results=tuple(results), complete=case.tenant is not None and not asked)


def fix_of(diagnosis: Diagnosis, problem: Problem) -> str:
    """Give the one fix, by hand and as a command line."""
    return diagnosis.fix if problem.command is None else f"{diagnosis.fix} Or: {problem.command}"


def _try(diagnosis: Diagnosis, case: Case) -> Diagnosed:
    for need in diagnosis.needs:
        lack = case.lack(need)
        if lack is not None:
            return Diagnosed(diagnosis=diagnosis, status="skip", lack=lack)
    problems: list[Problem] = []
    try:
        problems.extend(diagnosis.run(case))
    except CannotTell as reason:
        # What was found before the evidence ended is found.
        if not problems:
            return Diagnosed(diagnosis=diagnosis, status="skip", lack=Lack(str(reason), asked=reason.asked))
    except NotConcerned:
        return Diagnosed(diagnosis=diagnosis, status="not concerned")
    except Exception as error:  # noqa: BLE001 - one broken statement must not hide what the others find
        # The class alone: a message could hold what is in the tenant.
        broken = Problem(expected=diagnosis.title, actual=f"the statement itself broke: {type(error).__name__}")
        return Diagnosed(diagnosis=diagnosis, status="error", problems=(broken,))
    return Diagnosed(diagnosis=diagnosis, status=_status(diagnosis, problems), problems=tuple(problems))


def _status(diagnosis: Diagnosis, problems: Sequence[Problem]) -> Status:
    if not problems:
        return "pass"
    return "hint" if diagnosis.level == "should" or all(problem.hint for problem in problems) else "fail"


def _without_echo(one: Diagnosed, told: set[int | str | None]) -> Diagnosed:
    if not one.diagnosis.echo or one.status in {"skip", "error"}:
        return one
    left = tuple(problem for problem in one.problems if problem.code is None or problem.code not in told)
    return Diagnosed(diagnosis=one.diagnosis, status=_status(one.diagnosis, left), problems=left)


def _is_hint(one: Diagnosed, problem: Problem) -> bool:
    return one.status != "error" and (problem.hint or one.diagnosis.level == "should")


def _named(one: Diagnosed, problem: Problem) -> str:
    code = one.code_of(problem)
    if code is None:
        return f"{one.diagnosis.id} {one.diagnosis.title}"
    name = CODES[code].name if code in CODES else ""
    return f"{code} {name} ({one.diagnosis.id})"

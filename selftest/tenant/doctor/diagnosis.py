"""The diagnosis of a case: the result of every statement, and the verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from selftest.judge.codes import CODES
from selftest.tenant.doctor.case import Case, Lack
from selftest.tenant.doctor.evidence.settings import PORTAL_SETTINGS
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, TenantStatement
from selftest.tenant.verdict import EXIT_CODES, TenantVerdict

type StatementStatus = Literal["pass", "fail", "hint", "skip", "error", "not applicable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementResult:
    """One statement and its result.

    Attributes:
        findings: The places where it is false. A statement that is true otherwise may still have hints.
        lack: For a skip, the reason.
    """

    statement: TenantStatement
    status: StatementStatus
    findings: tuple[TenantFinding, ...] = ()
    lack: Lack | None = None

    @property
    def holds(self) -> bool:
        """Whether the statement is true, with or without a hint."""
        return self.status in {"pass", "hint"}

    def code_of(self, finding: TenantFinding) -> int | str | None:
        """Return the code that Entra would show."""
        return self.statement.code if finding.code is None else finding.code

    def codes_of(self, finding: TenantFinding) -> tuple[int | str, ...]:
        """Return every code that Entra may show."""
        code = self.code_of(finding)
        more = self.statement.also if finding.code is None else ()
        return () if code is None else (code, *more)

    def step_of(self, finding: TenantFinding) -> str:
        """Return the fix by hand."""
        return self.statement.fix if finding.fix is None else finding.fix

    def fix_of(self, finding: TenantFinding) -> str:
        """Return the fix, by hand and as a command line."""
        fix = self.step_of(finding)
        return fix if finding.command is None else f"{fix} Or: {finding.command}"

    def is_hint(self, finding: TenantFinding) -> bool:
        """Whether a finding is worth a look and not a fault."""
        return self.status != "error" and (finding.hint or self.statement.level == "hardening")

    def as_json(self, finding: TenantFinding) -> dict[str, Any]:
        """Return one finding as the command line prints it."""
        return {
            "check": self.statement.id,
            "code": self.code_of(finding),
            "title": self.statement.title,
            "expected": finding.expected,
            "actual": finding.actual,
            "fix": self.fix_of(finding),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All results, in the order of the ids.

    Attributes:
        complete: Whether all evidence that the user asked for was read: without that the verdict is not PASS.
    """

    results: tuple[StatementResult, ...]
    complete: bool

    @property
    def faults(self) -> tuple[tuple[StatementResult, TenantFinding], ...]:
        """Return the findings that are faults."""
        return tuple((one, finding) for one in self.results for finding in one.findings if not one.is_hint(finding))

    @property
    def hints(self) -> tuple[tuple[StatementResult, TenantFinding], ...]:
        """Return the findings that are worth a look."""
        return tuple((one, finding) for one in self.results for finding in one.findings if one.is_hint(finding))

    @property
    def skipped(self) -> tuple[tuple[StatementResult, Lack], ...]:
        """Return the statements that lack evidence."""
        return tuple((one, one.lack) for one in self.results if one.status == "skip" and one.lack is not None)

    @property
    def verdict(self) -> TenantVerdict:
        """Return the verdict in a word."""
        if self.faults:
            return "FAIL"
        return "PASS" if self.complete and any(one.holds for one in self.results) else "INCONCLUSIVE"

    @property
    def exit_code(self) -> int:
        """Return the exit code: 0 all passed, 1 there are faults, 3 not enough evidence."""
        return EXIT_CODES[self.verdict]

    @property
    def sentence(self) -> str:
        """Return the first line of the report: the verdict and the reason for it."""
        if self.verdict == "FAIL":
            count = len(self.faults)
            named = "; ".join(dict.fromkeys(_named(one, finding) for one, finding in self.faults))
            return f"FAIL  {count} finding{'s' if count > 1 else ''}: {named}"
        tried = [one for one in self.results if one.status not in {"skip", "not applicable"}]
        rest = f", {len(self.skipped)} skipped" if self.skipped else ""
        end = "" if self.verdict == "PASS" else ": not enough evidence"
        passed = sum(one.holds for one in tried)
        return f"{self.verdict}  {passed} of {len(tried)} statements passed{rest}{end}{self._hinted}"

    @property
    def _hinted(self) -> str:
        """Return the part of the first line about hints, with the codes that they can cause."""
        if not self.hints:
            return ""
        count = len(self.hints)
        named = " or ".join(dict.fromkeys(_named(one, finding) for one, finding in self.hints if finding.possible))
        return f"; {count} hint{'s' if count > 1 else ''}" + (f", which can be the cause of {named}" if named else "")


def diagnose(case: Case, statements: Iterable[TenantStatement]) -> Diagnosis:
    """Try every statement. A statement that raises has the status "error", never "pass".

    An echo is a finding of Graph's own validation (D25) with a code that another statement has reported, with its fix:
    it is dropped, so that one fault is one finding.
    """
    results = [_try(statement, case) for statement in statements]
    reported = {one.code_of(finding) for one in results if not one.statement.echo for finding in one.findings}
    results = [_without_echo(one, reported) for one in results]
    asked = any(one.lack is not None and one.lack.asked for one in results)
    return Diagnosis(results=tuple(results), complete=case.tenant is not None and not asked)


def _try(statement: TenantStatement, case: Case) -> StatementResult:
    for name in statement.needs:
        lack = case.lack(name)
        if lack is not None:
            return StatementResult(statement=statement, status="skip", lack=lack)
    findings: list[TenantFinding] = []
    try:
        findings.extend(statement.run(case))
    except EvidenceMissing as reason:
        # What was found before the evidence ended is kept.
        if not findings:
            return StatementResult(statement=statement, status="skip", lack=Lack(str(reason), asked=reason.asked))
    except NotApplicable:
        return StatementResult(statement=statement, status="not applicable")
    except Exception as error:  # noqa: BLE001 - one broken statement must not hide what the others find
        # The class alone: a message could hold what is in the tenant.
        broken = TenantFinding(expected=statement.title, actual=f"the statement itself raised {type(error).__name__}")
        return StatementResult(statement=statement, status="error", findings=(broken,))
    findings = [_placed(statement, finding, case) for finding in findings]
    return StatementResult(statement=statement, status=_status(statement, findings), findings=tuple(findings))


def _placed(statement: TenantStatement, finding: TenantFinding, case: Case) -> TenantFinding:
    """Return a finding whose fix names the place that the settings came from."""
    fix = finding.fix or statement.fix
    if case.settings is None or PORTAL_SETTINGS not in fix:
        return finding
    return replace(finding, fix=fix.replace(PORTAL_SETTINGS, case.settings.place))


def _status(statement: TenantStatement, findings: Sequence[TenantFinding]) -> StatementStatus:
    if not findings:
        return "pass"
    return "hint" if statement.level == "hardening" or all(finding.hint for finding in findings) else "fail"


def _without_echo(one: StatementResult, reported: set[int | str | None]) -> StatementResult:
    if not one.statement.echo or one.status in {"skip", "error"}:
        return one
    left = tuple(finding for finding in one.findings if finding.code is None or finding.code not in reported)
    return replace(one, status=_status(one.statement, left), findings=left)


def _named(one: StatementResult, finding: TenantFinding) -> str:
    codes = one.codes_of(finding)
    return f"{named_codes(codes)} ({one.statement.id})" if codes else f"{one.statement.id} {one.statement.title}"


def named_codes(codes: Iterable[int | str]) -> str:
    """Return codes with their names, for people."""
    return " or ".join(f"{code} {CODES[code].name if code in CODES else ''}".strip() for code in codes)

"""The diagnosis in the form of every other report, for JUnit and for the results file."""

import datetime as dt
from typing import Final

from selftest.judge.statement import Status
from selftest.report import provenance
from selftest.report.decision import count_checks
from selftest.report.results import CheckResult, Results, RunVerdict
from selftest.tenant.doctor.diagnosis import Diagnosis, StatementResult, StatementStatus

_STATUSES: Final[dict[StatementStatus, Status]] = {"hint": "fail", "fail": "fail", "skip": "skip", "error": "error"}


def results_of(diagnosis: Diagnosis, *, url: str | None, started_at: dt.datetime, duration_s: float) -> Results:
    """Return the results without the statements that do not apply to this case."""
    checks = tuple(_check(one) for one in diagnosis.results if one.status != "not applicable")
    counts = count_checks(checks) | {"signins": 0, "signins_failed": 0}
    verdict = RunVerdict.of(diagnosis.verdict, diagnosis.sentence.partition("  ")[2], counts)
    return Results(
        tool=provenance.tool(),
        environment=provenance.environment(),
        target=provenance.target(url or "", "the tenant's configuration"),
        started_at=started_at.isoformat(timespec="seconds"),
        duration_s=round(duration_s, 3),
        strict=False,
        checks=checks,
        verdict=verdict,
    )


def _check(one: StatementResult) -> CheckResult:
    """Return one statement as a check; several findings take one line each, and the first fix is shown for all."""
    statement = one.statement
    reason = "it holds" if one.lack is None else one.lack.reason
    hint_of_fault = one.status == "hint" and statement.level == "sign-in"
    return CheckResult(
        id=statement.id,
        title=statement.title,
        level="hardening" if hint_of_fault else statement.level,
        status=_STATUSES.get(one.status, "pass"),
        expected="\n".join(finding.expected for finding in one.findings) or statement.title,
        actual="\n".join(finding.actual for finding in one.findings) or reason,
        why=statement.why,
        fix=one.fix_of(one.findings[0]) if one.findings else statement.fix,
        source=statement.source,
        curl=None,
        latency_ms=None,
        duration_ms=0.0,
    )

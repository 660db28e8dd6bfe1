"""The findings in the form of every other report, for JUnit and for the results file."""

import datetime as dt

from selftest.judge.statement import Status
from selftest.report import provenance
from selftest.report.results import CheckResult, Results, RunVerdict, count_checks
from selftest.tenant.doctor.findings import Diagnosed, Findings, fix_of


def results_of(findings: Findings, *, url: str | None, started_at: dt.datetime, duration_s: float) -> Results:
    """Make results; statements that say nothing about this case are left out.

    Args:
        findings: what was found.
        url: of the endpoint, where it was called.
        started_at: when the diagnosis began.
        duration_s: how long it took, in seconds.
    """
    checks = tuple(_check(one) for one in findings.results if one.status != "not concerned")
    counts = count_checks(checks) | {"signins": 0, "signins_failed": 0}
    verdict = RunVerdict.of(findings.outcome, findings.verdict.partition("  ")[2], counts)
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


def _check(one: Diagnosed) -> CheckResult:
    """Write one statement; several problems are told in one line each, and the first fix stands for all."""
    diagnosis, first = one.diagnosis, one.problems[0] if one.problems else None
    reason = "it holds" if one.lack is None else one.lack.reason
    hint_of_must = one.status == "hint" and diagnosis.level == "must"
    return CheckResult(
        id=diagnosis.id,
        title=diagnosis.title,
        level="should" if hint_of_must else diagnosis.level,
        status=_status(one),
        expected="\n".join(problem.expected for problem in one.problems) or diagnosis.title,
        actual="\n".join(problem.actual for problem in one.problems) or reason,
        why=diagnosis.why,
        fix=diagnosis.fix if first is None else fix_of(diagnosis, first),
        source=diagnosis.source,
        curl=None,
        latency_ms=None,
        duration_ms=0.0,
    )


def _status(one: Diagnosed) -> Status:
    match one.status:
        case "hint" | "fail":
            return "fail"
        case "skip":
            return "skip"
        case "error":
            return "error"
    return "pass"

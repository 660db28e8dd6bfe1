"""Results for the tests of the reports: one of everything."""

from selftest.judge.app_line import AppLine
from selftest.judge.statement import Status
from selftest.report.decision import decide
from selftest.report.results import CheckResult, Results, SignInResult


def check(check_id: str, status: Status = "pass", **changes: object) -> CheckResult:
    """Make one result."""
    result: dict[str, object] = {
        "id": check_id,
        "title": f"holds {check_id}",
        "level": "sign-in",
        "status": status,
        "expected": "HTTP 401",
        "actual": "HTTP 200" if status == "fail" else "HTTP 401",
        "why": "Because.",
        "fix": "Mend it.",
        "source": "RFC 6750",
        "curl": "curl -i http://127.0.0.1:1/api" if status == "fail" else None,
        "latency_ms": 1.5,
        "duration_ms": 3.25,
    }
    return CheckResult(**{**result, **changes})  # type: ignore[arg-type] # the fields of CheckResult, chosen by the test


#: What this project's endpoint logs when its provider raises.
RAISED = AppLine(
    outcome="provider_error",
    status=503,
    detail="AttributeError at mine.py:7",
    total_ms=3.2,
    phases_ms={"token": 1.9, "provider": 0.4},
)


def signin(code: int | None = None, **changes: object) -> SignInResult:
    """Make one sign-in."""
    found: dict[str, object] = {
        "variety": "member",
        "title": "a member",
        "code": code,
        "name": None if code is None else "CustomExtensionTimedOut",
        "minted": code is None,
        "reason": "one action",
        "attempts": 1,
        "latency_ms": 12.5,
        "warnings": ("one",),
    }
    return SignInResult(**{**found, **changes})  # type: ignore[arg-type] # as above


def results(
    *checks: CheckResult, signins: tuple[SignInResult, ...] = (), strict: bool = False, interrupted: bool = False
) -> Results:
    """Make a run of these."""
    return Results(
        tool={"name": "t", "version": "0"},
        environment={"python": "3.13"},
        target={"url": "http://127.0.0.1:1/api/onTokenIssuanceStart", "mode": "local"},
        started_at="2026-01-02T03:04:05+00:00",
        duration_s=1.25,
        strict=strict,
        checks=checks,
        signins=signins,
        verdict=decide(checks, signins, strict=strict, interrupted=interrupted),
    )


EVERYTHING = results(
    check("B01"),
    check("B22", "fail", level="hardening"),
    check("C01", "error", actual="the check itself broke: RuntimeError"),
    check("C95", "skip", actual="the app runs elsewhere", latency_ms=None),
    check("T30", "fail", app_lines=(RAISED,)),
    signins=(signin(), signin(1003005, app_lines=(RAISED,))),
)

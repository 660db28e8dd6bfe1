"""The direct test as text for a terminal and as JSON; neither contains the token."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from selftest.base.printable import printable, shown_url
from selftest.judge.verdict import Verdict
from selftest.play.attempt_text import timing
from selftest.play.caller import Call
from selftest.tenant.direct_call.comparison import ComparedClaim
from selftest.tenant.direct_call.expectations import Expectations
from selftest.tenant.direct_call.verdict import Conclusion

SCHEMA_VERSION: Final = 1
_MARKS: Final = {"ok": "ok", "differs": "DIFFERS", "note": "note", "unknown": "unknown"}


def as_lines(expected: Expectations, source: str, rows: Sequence[ComparedClaim]) -> Iterator[str]:
    """Yield where settings and token come from, and the comparison."""
    yield f"settings  {expected.origin}"
    yield f"token     {source}"
    yield ""
    width = max(len(row.got) for row in rows)
    for row in rows:
        yield f"  {_MARKS[row.state]:<8} {row.name:<6} {row.got:<{width}}  expected {row.expected}"
        for text in filter(None, (row.why, row.fix)):
            yield f"{'':18}{text}"


def call_lines(url: str, call: Call, verdict: Verdict, *, timeout_ms: int) -> Iterator[str]:
    """Yield what the endpoint answered, and what Entra would make of it."""
    yield ""
    yield f"called    POST {shown_url(url)}"
    for number, attempt in enumerate(call.attempts, start=1):
        yield f"  attempt {number}  {timing(attempt, timeout_ms=timeout_ms)}"
    outcome = "a token would be minted" if verdict.minted else f"no token: {verdict.code} {verdict.name}"
    yield f"judged    {outcome}: {printable(verdict.reason)}"


def as_json(
    expected: Expectations,
    source: str,
    rows: Sequence[ComparedClaim],
    conclusion: Conclusion,
    *,
    call: Call | None,
    verdict: Verdict | None,
) -> dict[str, Any]:
    """Return everything as one JSON object."""
    return {
        "schema_version": SCHEMA_VERSION,
        "settings": expected.origin,
        "token": source,
        "rows": [
            {
                "claim": row.name,
                "state": row.state,
                "got": row.got,
                "expected": row.expected,
                "why": row.why,
                "fix": row.fix,
            }
            for row in rows
        ],
        "call": None
        if call is None or verdict is None
        else {
            "attempts": [
                {"status": attempt.status, "failure": attempt.failure, "latency_ms": round(attempt.latency_ms, 3)}
                for attempt in call.attempts
            ],
            "verdict": verdict.as_json(),
        },
        "result": conclusion.result,
        "says": conclusion.says,
    }

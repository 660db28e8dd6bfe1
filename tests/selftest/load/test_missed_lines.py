"""The app's own lines for calls that missed: one for each cause, with how many calls had it."""

import json

from selftest.judge.app_line import LOOP_BLOCKED
from selftest.load.missed_lines import MissedCalls
from tests.selftest.load.loads import attempt, call

FAILED = attempt(3.0, "failed", code=1003002)


def logged(number: int, outcome: str, detail: str = "", *, status: int = 503, total_ms: float = 3.0) -> str:
    """Return the app's line for a call."""
    members = {"correlationId": f"c{number}", "outcome": outcome, "detail": detail}
    return json.dumps({**members, "status": status, "total_ms": total_ms})


def missed(count: int) -> MissedCalls:
    """Collect this many calls that missed, one that did not, one of the warm-up and one that was never sent."""
    calls = MissedCalls()
    calls.take({"kind": "load"})
    for number in range(count):
        calls.take(call(0.0, FAILED) | {"correlation_id": f"c{number}"})
    calls.take(call(0.0, attempt()) | {"correlation_id": "good"})
    calls.take(call(0.0, FAILED, warmup=True) | {"correlation_id": "warm"})
    calls.take(call(0.0) | {"correlation_id": "dropped"})
    return calls


def test_a_line_for_each_cause_with_its_calls() -> None:
    """The most frequent first, at most three; what did not miss is not counted."""
    log = [logged(number, "provider_error", f"KeyError at mine.py:{number % 2 + 7}") for number in range(5)]
    log += [logged(5, "provider_late"), logged(6, "overloaded"), "starting ...", logged(99, "overloaded")]
    log += [line.replace("c0", name) for line in log[:1] for name in ("good", "warm", "dropped")]
    causes = missed(10).causes(log)
    assert [(cause.calls, cause.line.outcome, cause.line.detail) for cause in causes] == [
        (3, "provider_error", "KeyError at mine.py:7"),
        (2, "provider_error", "KeyError at mine.py:8"),
        (1, "provider_late", ""),
    ]


def test_the_slowest_line_stands_for_its_cause() -> None:
    """Its phases say where the time went."""
    causes = missed(3).causes([logged(number, "claims", status=200, total_ms=2000.0 + number) for number in range(3)])
    assert [(cause.calls, cause.line.total_ms) for cause in causes] == [(3, 2002.0)]


def test_a_blocked_event_loop_comes_first() -> None:
    """What the host says about the app explains the rest."""
    note = {"event": LOOP_BLOCKED, "detail": "at mine.py:7", "total_ms": 900.0}
    causes = missed(1).causes([logged(0, "provider_late"), json.dumps(note)])
    assert [(cause.calls, cause.line.outcome) for cause in causes] == [(0, LOOP_BLOCKED), (1, "provider_late")]


def test_nothing_is_said_of_a_run_without_a_miss() -> None:
    """Also where the log has lines of other calls."""
    assert missed(0).causes([logged(0, "provider_error")]) == []

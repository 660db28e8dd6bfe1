"""The outcome of one attempt: in budget, late, failed or unanswered, and the code that Entra would log.

The judge decides whether the response is good; the budget decides whether Entra was still waiting for it. A good
response after the budget is ``late``, a bad one is ``failed`` at any time, and Entra logs 1003005 for a response that
it did not wait for.
"""

from collections.abc import Mapping
from typing import Any, Final

from cachetools import LRUCache

from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import judge
from selftest.load.engine import Sample
from selftest.load.phases import server_timing_ms
from selftest.play.caller import Attempt
from selftest.report.load_result import AttemptOutcome

TIMED_OUT: Final = 1003005
#: The number of different responses that are remembered, without regard to their correlation ids.
_REMEMBERED: Final = 512
#: No reply that Entra accepts is longer, and 512 of the longest that is read would take half a gigabyte.
_REMEMBERED_BODY_BYTES: Final = 16 * 1024
_NO_ID: Final = b"00000000-0000-0000-0000-000000000000"


class AttemptJudge:
    """Judges attempts; equal responses are judged once, without regard to their correlation ids.

    Args:
        budget_ms: Entra's timeout for one attempt, in milliseconds.
    """

    def __init__(self, budget_ms: int) -> None:
        self._budget_ms = budget_ms
        self._codes: LRUCache[tuple[int | None, str | None, bytes], int | None] = LRUCache(_REMEMBERED)

    def of(self, attempt: Attempt, correlation_id: str = "") -> tuple[AttemptOutcome, int | None]:
        """Return the outcome of an attempt, and the code that Entra would log; None if it would mint a token."""
        late = attempt.latency_ms > self._budget_ms
        if attempt.failure == "timeout":
            return "unanswered", TIMED_OUT
        code = self._code(attempt, correlation_id)
        if code is not None:
            return "failed", TIMED_OUT if late else code
        return ("late", TIMED_OUT) if late else ("in-budget", None)

    def _code(self, attempt: Attempt, correlation_id: str) -> int | None:
        # An endpoint may return the id; another of the same length changes no rule's result.
        body = attempt.body.replace(correlation_id.encode(), _NO_ID) if correlation_id else attempt.body
        reply = ReceivedReply(
            status=attempt.status, content_type=attempt.header("Content-Type"), body=body, failure=attempt.failure
        )
        if attempt.failure is not None or len(body) > _REMEMBERED_BODY_BYTES:
            return judge(reply).code
        key = (reply.status, reply.content_type, body)
        if key not in self._codes:
            self._codes[key] = judge(reply).code
        return self._codes[key]


def call_line(sample: Sample, outcomes: AttemptJudge, *, warmup: bool) -> dict[str, Any]:
    """Return a sample as a line of the raw file; times of an attempt count from when the call was due."""
    line: dict[str, Any] = {"kind": "call", "due_s": round(sample.due_s, 6)}
    if warmup:
        line["warmup"] = True
    line["correlation_id"] = sample.prepared.correlation_id
    line["attempts"] = [_attempt(attempt, sample, outcomes) for attempt in sample.attempts]
    return line


def _attempt(attempt: Attempt, sample: Sample, outcomes: AttemptJudge) -> Mapping[str, Any]:
    outcome, code = outcomes.of(attempt, sample.prepared.correlation_id)
    since_s = sample.due_s

    def at_ms(moment_s: float) -> float:
        return round((moment_s - since_s) * 1000, 3)

    return {
        "due_ms": at_ms(attempt.due_s),
        "sent_ms": at_ms(attempt.sent_s),
        "headers_ms": None if attempt.headers_s is None else at_ms(attempt.headers_s),
        "end_ms": at_ms(attempt.end_s),
        "status": attempt.status,
        "failure": attempt.failure,
        "outcome": outcome,
        "code": code,
        "server_timing_ms": server_timing_ms(attempt.headers),
    }

"""What an answer has to be while something fails: its status, its claims, how it is logged, and when it comes.

Also a failure is an answer that somebody waits for, so each is judged whole, and every complaint is told.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from selftest.checks.bench.probe import RawResponse
from selftest.checks.expectations import claims_of

#: How much later than the budget an answer may leave, and how much later it may have come, in milliseconds.
LEAVES_LATE_MS: Final = 50
ARRIVES_LATE_MS: Final = 150

#: What the endpoint did, by the header that tells its caller.
type ClaimsOutcome = Literal["claims", "omitted", "stale", "failed"]

OUTCOME: Final = "X-Claims-Outcome"
_TOTAL: Final = re.compile(r"\btotal;dur=([0-9.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedResponse:
    """What has to come.

    Attributes:
        status: of the answer.
        shown: its X-Claims-Outcome.
        claims: exactly these; None where there must be none.
        codes: one of which names the failure in the log; none where there is no failure.
        budget_ms: in which the answer leaves.
    """

    status: int
    shown: ClaimsOutcome
    claims: Mapping[str, object] | None
    codes: Collection[str]
    budget_ms: int

    def words(self) -> str:
        """Say it in one line."""
        failure = f", logged as {' or '.join(sorted(self.codes))}" if self.codes else ""
        return f"HTTP {self.status} within {self.budget_ms} ms, {OUTCOME}: {self.shown}{failure}"


def complaints(response: RawResponse, lines: Sequence[Mapping[str, Any]], wanted: WantedResponse) -> Iterator[str]:
    """Name everything that is not as wanted, but for its time.

    Args:
        response: what came.
        lines: the request's lines in the app's log.
        wanted: what had to come.
    """
    if response.status != wanted.status:
        yield str(response)
    if (shown := response.header(OUTCOME)) != wanted.shown:
        yield f"{OUTCOME}: {shown or 'absent'}"
    if (came := claims_of(response)) != wanted.claims:
        yield "claims where there must be none" if wanted.claims is None else f"other claims: {_names(came)}"
    yield from _wrong_lines(lines, wanted)


def lateness(response: RawResponse, budget_ms: int) -> Iterator[str]:
    """Name what was late. A machine that stands still is late once; an endpoint that is late is so every time."""
    total = _TOTAL.search(response.header("Server-Timing") or "")
    if total is None:
        yield "no total in Server-Timing"
    elif float(total[1]) > budget_ms + LEAVES_LATE_MS:
        yield f"the answer left after {float(total[1]):.0f} ms"
    if response.latency_ms > budget_ms + ARRIVES_LATE_MS:
        yield f"the answer came after {response.latency_ms:.0f} ms"


def _wrong_lines(lines: Sequence[Mapping[str, Any]], wanted: WantedResponse) -> Iterator[str]:
    if len(lines) != 1:
        yield f"{len(lines)} log lines for the request"
        return
    line = lines[0]
    failed = wanted.shown == "failed"
    if not failed and line.get("outcome") != wanted.shown:
        yield f"logged as {line.get('outcome')}"
    code = line.get("outcome" if failed else "failure")
    if code not in wanted.codes and (wanted.codes or code is not None):
        yield f"the failure is logged as {code}"


def _names(came: object) -> str:
    """Name claims, never their values."""
    return ", ".join(sorted(came)) or "none" if isinstance(came, dict) else "none at all"

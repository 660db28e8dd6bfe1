"""What a response must be while a dependency fails: its status, claims, log line and time.

Each response is judged as a whole, and everything that is wrong with it is reported.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from selftest.checks.bench.probe import RawResponse
from selftest.checks.bench.variant import VariantPolicy
from selftest.checks.expectations import claims_of

#: How much later than the budget a response may leave the endpoint and arrive here, in milliseconds.
LEAVES_LATE_MS: Final = 50
ARRIVES_LATE_MS: Final = 150

#: The values of X-Claims-Outcome.
type ClaimsOutcome = Literal["claims", "omitted", "stale", "failed"]

OUTCOME: Final = "X-Claims-Outcome"
_SHOWN: Final[dict[VariantPolicy, ClaimsOutcome]] = {"fail": "failed", "omit": "omitted", "stale": "stale"}
_TOTAL: Final = re.compile(r"\btotal;dur=([0-9.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedResponse:
    """The expected response.

    Attributes:
        status: The HTTP status.
        shown: The X-Claims-Outcome header.
        claims: Exactly these claims; None if there must be none.
        codes: The codes of which one must name the failure in the log; empty without a failure.
        budget_ms: The time within which the response leaves the endpoint.
    """

    status: int
    shown: ClaimsOutcome
    claims: Mapping[str, object] | None
    codes: Collection[str]
    budget_ms: int

    def words(self) -> str:
        """Return the expectation as one line."""
        failure = f", logged as {' or '.join(sorted(self.codes))}" if self.codes else ""
        return f"HTTP {self.status} within {self.budget_ms} ms, {OUTCOME}: {self.shown}{failure}"


def wanted_by_policy(
    policy: VariantPolicy, codes: Collection[str], budget_ms: int, *, omitted: object, good: Mapping[str, object]
) -> WantedResponse:
    """Return what a policy makes of a failure.

    Args:
        policy: The app's.
        codes: One of them must be logged.
        budget_ms: The app's.
        omitted: The provider's default claims.
        good: The user's last good claims.
    """
    sent: dict[VariantPolicy, Any] = {"fail": None, "omit": omitted, "stale": good}
    return WantedResponse(
        status=503 if policy == "fail" else 200,
        shown=_SHOWN[policy],
        claims=sent[policy],
        codes=codes,
        budget_ms=budget_ms,
    )


def complaints(response: RawResponse, lines: Sequence[Mapping[str, Any]], wanted: WantedResponse) -> Iterator[str]:
    """Yield everything that is not as expected, except for the time.

    Args:
        response: The actual response.
        lines: The request's lines in the app's log.
        wanted: The expected response.
    """
    if response.status != wanted.status:
        yield str(response)
    if (shown := response.header(OUTCOME)) != wanted.shown:
        yield f"{OUTCOME}: {shown or 'absent'}"
    if (came := claims_of(response)) != wanted.claims:
        yield "claims although there must be none" if wanted.claims is None else f"other claims: {_names(came)}"
    yield from _wrong_lines(lines, wanted)


def lateness(response: RawResponse, budget_ms: int) -> Iterator[str]:
    """Yield what was late."""
    total = _TOTAL.search(response.header("Server-Timing") or "")
    if total is None:
        yield "no total in Server-Timing"
    elif float(total[1]) > budget_ms + LEAVES_LATE_MS:
        yield f"the response left after {float(total[1]):.0f} ms"
    if response.latency_ms > budget_ms + ARRIVES_LATE_MS:
        yield f"the response arrived after {response.latency_ms:.0f} ms"


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
    """Return the names of claims, never their values."""
    return ", ".join(sorted(came)) or "empty" if isinstance(came, dict) else "absent"

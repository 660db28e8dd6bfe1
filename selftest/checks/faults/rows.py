"""The faults of F01 to F88, each with its expected effect."""

from dataclasses import dataclass
from typing import Final, Literal

#: ``claims``: the claims are sent as usual. ``nobody``: the user has no claims, which is not a failure.
#: ``failure``: the policy decides.
type FaultEffect = Literal["claims", "nobody", "failure"]

_LATE: Final = frozenset({"provider_late"})
_STATUS: Final = frozenset({"downstream_status"})
_UNREACHABLE: Final = frozenset({"downstream_unreachable"})
#: The second code: a token was requested again before the next attempt was due.
_NO_TOKEN: Final = frozenset({"downstream_token_unavailable", "downstream_token_backing_off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultExpectation:
    """One fault and its expected effect.

    Attributes:
        number: The fault's number in the ids of each policy; never reused.
        fault: The fault's name in ``selftest.downstream.faults``.
        effect: The expected effect.
        codes: The codes of which one must be logged.
        most_calls: How often the API may be called for one response.
    """

    number: int
    fault: str
    effect: FaultEffect = "failure"
    codes: frozenset[str] = frozenset()
    most_calls: int = 1


ROWS: Final = (
    FaultExpectation(number=1, fault="latency", effect="claims"),
    FaultExpectation(number=2, fault="lateness", codes=_LATE),
    FaultExpectation(number=3, fault="hang", codes=_LATE),
    # An idle connection that the server has closed looks the same, so one more call is correct.
    FaultExpectation(number=4, fault="reset", codes=_UNREACHABLE, most_calls=2),
    FaultExpectation(number=5, fault="trickle", codes=_LATE),
    FaultExpectation(number=6, fault="token-refused", effect="claims", most_calls=2),
    FaultExpectation(number=7, fault="unauthorized", codes=_STATUS, most_calls=2),
    FaultExpectation(number=8, fault="forbidden", codes=_STATUS),
    FaultExpectation(number=9, fault="not-found", effect="nobody"),
    FaultExpectation(number=10, fault="throttled", codes=_STATUS),
    FaultExpectation(number=11, fault="error", codes=_STATUS),
    FaultExpectation(number=12, fault="unavailable", codes=_STATUS),
    FaultExpectation(number=13, fault="truncated", codes=_UNREACHABLE),
    FaultExpectation(number=14, fault="malformed", codes=frozenset({"downstream_shape"})),
    FaultExpectation(number=15, fault="huge", codes=frozenset({"downstream_too_large"})),
    FaultExpectation(number=16, fault="key-rotation", effect="claims"),
    FaultExpectation(number=17, fault="key-outage", effect="claims"),
    FaultExpectation(number=18, fault="identity-expired", codes=_NO_TOKEN, most_calls=0),
    FaultExpectation(number=19, fault="identity-down", codes=_NO_TOKEN, most_calls=0),
    FaultExpectation(number=20, fault="identity-garbage", codes=_NO_TOKEN, most_calls=0),
    FaultExpectation(number=21, fault="identity-hang", codes=_LATE, most_calls=0),
)

"""The failure policy: what is sent when the provider has nothing to say."""

import json

import pytest

from claims.event import TokenIssuanceStart, parse_event
from claims.failure_policy import FailurePolicy, Fallback
from tests.claims.site import Clock, good_event, settings

OTHER = "99999999-9999-4999-8999-999999999999"


def _event(**context: object) -> TokenIssuanceStart:
    event = good_event()
    event["data"]["authenticationContext"] |= context
    return parse_event(json.dumps(event).encode())


def _policy(clock: Clock, **changes: str) -> FailurePolicy:
    return FailurePolicy(settings(**changes), lambda: {"Default": "x"}, clock=clock)


def test_fail_sends_nothing(clock: Clock) -> None:
    """The default: the failure is the answer, whatever was good before."""
    policy = _policy(clock)
    policy.remember(_event(), {"a": 1})
    assert policy.fallback(_event()) is None


def test_omit_sends_the_defaults(clock: Clock) -> None:
    """The provider's default claims, for whomever."""
    policy = _policy(clock, Claims__OnFailure="omit")
    assert policy.fallback(_event(user=None)) == Fallback("omitted", {"Default": "x"})


async def test_stale_sends_the_last_good_ones(clock: Clock) -> None:
    """This user's last good claims while they are young enough, then the failure."""
    policy = _policy(clock, Claims__OnFailure="stale", Claims__StaleSeconds="60")
    policy.remember(_event(), {"a": 1})
    policy.remember(_event(), {"a": 2})
    await clock.tick(59)
    assert policy.fallback(_event(correlationId=OTHER)) == Fallback("stale", {"a": 2})
    await clock.tick(1)
    assert policy.fallback(_event()) is None


@pytest.mark.parametrize(
    "change",
    [
        {"user": {"id": OTHER}},
        {"user": None},
        {"clientServicePrincipal": {"appId": OTHER}},
        {"resourceServicePrincipal": None},
    ],
    ids=str,
)
def test_stale_is_for_the_same_user_and_app(change: dict[str, object], clock: Clock) -> None:
    """Nobody gets another's claims, and no application gets another's."""
    policy = _policy(clock, Claims__OnFailure="stale")
    policy.remember(_event(), {"a": 1})
    assert policy.fallback(_event(**change)) is None


def test_nobody_is_not_remembered(clock: Clock) -> None:
    """Claims of an event without a user are nobody's last good claims."""
    policy = _policy(clock, Claims__OnFailure="stale")
    policy.remember(_event(user=None), {"a": 1})
    assert policy.fallback(_event(user=None)) is None


def test_no_claims_can_be_stale(clock: Clock) -> None:
    """A user without claims was a good answer, too."""
    policy = _policy(clock, Claims__OnFailure="stale")
    policy.remember(_event(), {})
    assert policy.fallback(_event()) == Fallback("stale", {})

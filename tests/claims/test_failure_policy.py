"""The failure policy: what is sent when the provider has nothing to say."""

import json

import pytest

from claims.event import TokenIssuanceStart, parse_event
from claims.failure_policy import MAX_STALE_BYTES, FailurePolicy
from claims.measurements import Measurements
from claims.reply import Reply, build_reply
from claims.settings.settings import OnFailure
from tests.claims.site import Clock, good_event

DEFAULT = build_reply({"Default": "x"})
GOOD = build_reply({"a": "1"})
OTHER = "99999999-9999-4999-8999-999999999999"


def _event(**context: object) -> TokenIssuanceStart:
    event = good_event()
    event["data"]["authenticationContext"] |= context
    return parse_event(json.dumps(event).encode())


def _measured(clock: Clock) -> Measurements:
    return Measurements(budget_ms=100, clock=clock)


def _policy(clock: Clock, policy: OnFailure = "fail", stale_s: float = 3600) -> FailurePolicy:
    return FailurePolicy(policy, default_reply=DEFAULT, stale_s=stale_s, clock=clock, later=clock.later)


async def test_fail_sends_nothing(clock: Clock) -> None:
    """The default: the failure is the answer, whatever was good before."""
    policy = _policy(clock)
    policy.remember(_event(), GOOD)
    assert await policy.fallback(_event(), _measured(clock)) is None


async def test_omit_sends_the_defaults(clock: Clock) -> None:
    """The provider's default claims, for whomever."""
    policy = _policy(clock, "omit")
    assert await policy.fallback(_event(user=None), _measured(clock)) == ("omitted", DEFAULT)


async def test_stale_sends_the_last_good_ones(clock: Clock) -> None:
    """This user's last good claims while they are young enough, then the failure."""
    policy = _policy(clock, "stale", 60)
    newer = build_reply({"a": "2"})
    policy.remember(_event(), GOOD)
    policy.remember(_event(), newer)
    await clock.tick(59)
    assert await policy.fallback(_event(correlationId=OTHER), _measured(clock)) == ("stale", newer)
    await clock.tick(1)
    assert await policy.fallback(_event(), _measured(clock)) is None


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
async def test_stale_is_for_the_same_user_and_app(change: dict[str, object], clock: Clock) -> None:
    """Nobody gets another's claims, and no application gets another's."""
    policy = _policy(clock, "stale")
    policy.remember(_event(), GOOD)
    assert await policy.fallback(_event(**change), _measured(clock)) is None


async def test_nobody_is_not_remembered(clock: Clock) -> None:
    """Claims of an event without a user are nobody's last good claims."""
    policy = _policy(clock, "stale")
    policy.remember(_event(user=None), GOOD)
    assert await policy.fallback(_event(user=None), _measured(clock)) is None


async def test_no_claims_can_be_stale(clock: Clock) -> None:
    """A user without claims was a good answer, too."""
    policy = _policy(clock, "stale")
    policy.remember(_event(), build_reply({}))
    assert await policy.fallback(_event(), _measured(clock)) == ("stale", build_reply({}))


def _held(clock: Clock, policy: FailurePolicy) -> int:
    del clock
    return len(policy._good._entries)  # what is in memory, expired or not


def test_claims_are_forgotten_on_time(clock: Clock) -> None:
    """Nobody has to sign in for old claims to leave the memory."""
    policy = _policy(clock, "stale", 60)
    for number in range(100):
        policy.remember(_event(user={"id": f"77777777-7777-4777-8777-{number:012}"}), GOOD)
    assert _held(clock, policy) == 100
    clock.advance(59)
    assert _held(clock, policy) == 100
    clock.advance(11)
    assert _held(clock, policy) == 0


def test_what_is_kept_is_bounded_in_bytes(clock: Clock) -> None:
    """However many users sign in, their claims take no more memory than the limit."""
    policy = _policy(clock, "stale")
    large = Reply(b"x" * 100_000, 3000)
    for number in range(2 * MAX_STALE_BYTES // 100_000):
        policy.remember(_event(user={"id": f"77777777-7777-4777-8777-{number:012}"}), large)
    assert _held(clock, policy) * large.held_bytes() <= MAX_STALE_BYTES

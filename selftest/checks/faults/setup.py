"""Plays a fault: waits until the endpoint returns the user's claims, and then makes one dependency fail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawResponse
from selftest.checks.bench.variant import AppVariant
from selftest.checks.expectations import claims_of, failed, judged
from selftest.checks.faults.wanted import OUTCOME, lateness
from selftest.checks.registry import CheckOutcome
from selftest.downstream.faults import Fault
from selftest.downstream.server import DownstreamServer

#: With tokens of this lifetime a failing issuer is noticed soon; the protocol counts whole seconds.
SHORT_LIFE_S: Final = 2
#: A refused token is dropped at most every five seconds, and a failed fetch is repeated after some.
_CLAIMS_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.1
_ATTEMPTS: Final = 3


class NoClaimsBeforeFault(Exception):
    """Raised when the endpoint does not return claims although no dependency fails.

    Attributes:
        response: What it returns instead.
    """

    def __init__(self, response: RawResponse) -> None:
        super().__init__(f"no claims although no dependency fails: {response}")
        self.response = response


def downstream_and_variant(env: CheckEnvironment) -> tuple[DownstreamServer, AppVariant]:
    """Return the downstream and the app's settings that a check of faults needs.

    Raises:
        LookupError: They are missing; the runner skips such a check.
    """
    if env.downstream is None or env.variant is None:
        raise LookupError("the check needs the emulated downstream")
    return env.downstream, env.variant


def event_of(env: CheckEnvironment, user_id: str | None) -> tuple[dict[str, Any], str]:
    """Return the event of a user's sign-in and its correlation id; the user is the member without another id."""
    correlation_id = env.new_id()
    event = env.event(correlation_id)
    if user_id is not None:
        event["data"]["authenticationContext"]["user"]["id"] = user_id
    return event, correlation_id


async def claims_before(env: CheckEnvironment, user_id: str | None = None) -> dict[str, Any]:
    """Wait until the endpoint returns a user's claims, and return them; of a user with an id there have to be some.

    Raises:
        NoClaimsBeforeFault: The endpoint does not return claims within 15 seconds.
    """
    give_up_s = env.stopwatch() + _CLAIMS_WITHIN_S
    while True:
        event, _ = event_of(env, user_id)
        response = await env.send(env.good_request(event))
        claims = claims_of(response)
        # With the policies omit and stale a failure is a 200, too.
        is_known = user_id is None or bool(claims)
        if response.header(OUTCOME) == "claims" and isinstance(claims, dict) and is_known:
            return claims
        if env.stopwatch() > give_up_s:
            raise NoClaimsBeforeFault(response)
        await env.sleep(_POLL_S)


async def judged_in_time(
    play: Callable[[], Awaitable[tuple[RawResponse, list[str]]]], expected: str, budget_ms: int
) -> CheckOutcome:
    """Judge a fault, and play it again, at most twice, if the response is only late.

    A pause of the machine delays one attempt; a slow endpoint delays every attempt.

    Args:
        play: Plays the fault once and returns the response with everything else that is wrong with it.
        expected: What a valid endpoint does.
        budget_ms: The time within which the response leaves it.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            response, wrong = await play()
        except NoClaimsBeforeFault as error:
            return failed(error.response, expected, str(error))
        late = [*lateness(response, budget_ms)]
        if wrong or not late or attempt == _ATTEMPTS:
            break
    return judged(response, expected, "; ".join(wrong + late) or None)


@asynccontextmanager
async def playing(env: CheckEnvironment, fault: Fault, user_id: str) -> AsyncIterator[dict[str, Any]]:
    """Play a fault until the block ends, and yield the user's claims from just before.

    Raises:
        NoClaimsBeforeFault: See `claims_before`.
    """
    downstream, _ = downstream_and_variant(env)
    identity = downstream.identity
    if fault.place == "identity" and identity.lifetime_s > SHORT_LIFE_S:
        # The endpoint must hold a token that expires soon; from now on it gets only such tokens.
        identity.lifetime_s = SHORT_LIFE_S
        identity.withdraw_all()
    good = await claims_before(env, user_id)
    if fault.manner == "rotate":
        # Generating a key takes up to 150 ms, which must not delay the requests.
        await asyncio.to_thread(env.entra.keys.prepare_rotation)
        env.entra.keys.rotate()
    with downstream.playing(fault):
        env.entra.outage = fault.manner == "outage"
        try:
            if fault.place == "identity":
                await _until_the_token_expires(env, downstream)
            yield good
        finally:
            env.entra.outage = False


async def _until_the_token_expires(env: CheckEnvironment, downstream: DownstreamServer) -> None:
    last = downstream.identity.last
    ends_s = 0.0 if last is None else last.expires_on_s
    while env.clock() <= ends_s:
        await env.sleep(_POLL_S)

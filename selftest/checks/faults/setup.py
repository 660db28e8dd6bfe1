"""Sets the stage for a fault: the endpoint is well, knows the user, and then one thing goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawResponse
from selftest.checks.bench.variant import AppVariant
from selftest.checks.expectations import claims_of
from selftest.checks.faults.wanted import OUTCOME
from selftest.downstream.faults import Fault
from selftest.downstream.server import DownstreamServer

#: Tokens that last so long let a failing issuer be noticed soon; the protocol counts whole seconds.
SHORT_LIFE_S: Final = 2
#: A refused token is dropped once in five seconds, and a failed fetch is tried again within some.
_WELL_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.1


class NoClaimsBeforeFault(Exception):
    """Raised when the endpoint does not answer with claims though nothing fails.

    Attributes:
        response: what it does instead.
    """

    def __init__(self, response: RawResponse) -> None:
        super().__init__(f"though nothing fails, the answer is {response}")
        self.response = response


def downstream_and_variant(env: CheckEnvironment) -> tuple[DownstreamServer, AppVariant]:
    """Give what the runner has seen to.

    Raises:
        LookupError: it has not.
    """
    if env.downstream is None or env.variant is None:
        raise LookupError("this needs the emulated downstream")
    return env.downstream, env.variant


def event_of(env: CheckEnvironment, user_id: str) -> tuple[dict[str, Any], str]:
    """Build the event of a user's sign-in, and give its correlation id."""
    correlation_id = env.new_id()
    event = env.event(correlation_id)
    event["data"]["authenticationContext"]["user"]["id"] = user_id
    return event, correlation_id


async def claims_before(env: CheckEnvironment, user_id: str) -> dict[str, Any]:
    """Wait until the endpoint answers with a user's claims, and give them.

    Raises:
        NotWellError: it does not within some seconds.
    """
    give_up_s = env.stopwatch() + _WELL_WITHIN_S
    while True:
        event, _ = event_of(env, user_id)
        response = await env.send(env.good_request(event))
        claims = claims_of(response)
        # Where claims are omitted, or old ones sent, a failure is a 200, too.
        if response.header(OUTCOME) == "claims" and isinstance(claims, dict) and claims:
            return claims
        if env.stopwatch() > give_up_s:
            raise NoClaimsBeforeFault(response)
        await env.sleep(_POLL_S)


@asynccontextmanager
async def playing(env: CheckEnvironment, fault: Fault, user_id: str) -> AsyncIterator[dict[str, Any]]:
    """Play a fault, wherever it is, until the block ends; gives the user's claims of just before.

    Raises:
        NotWellError: see `well`.
    """
    downstream, _ = downstream_and_variant(env)
    identity = downstream.identity
    if fault.place == "identity" and identity.lifetime_s > SHORT_LIFE_S:
        # The endpoint has to hold a token that ends soon; from now on it gets such ones only.
        identity.lifetime_s = SHORT_LIFE_S
        identity.withdraw_all()
    good = await claims_before(env, user_id)
    if fault.manner == "rotate":
        # Making a key takes up to 150 ms, which the requests must not wait for.
        await asyncio.to_thread(env.entra.keys.prepare_rotation)
        env.entra.keys.rotate()
    with downstream.playing(fault):
        env.entra.outage = fault.manner == "outage"
        try:
            if fault.place == "identity":
                await _until_the_token_ends(env, downstream)
            yield good
        finally:
            env.entra.outage = False


async def _until_the_token_ends(env: CheckEnvironment, downstream: DownstreamServer) -> None:
    last = downstream.identity.last
    ends_s = 0.0 if last is None else last.expires_on_s
    while env.clock() <= ends_s:
        await env.sleep(_POLL_S)

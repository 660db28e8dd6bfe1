"""I01 and I02: an outage of the API during which one instance is killed and then each is restarted."""

import asyncio
import signal
from collections.abc import Sequence
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.variant import NOT_SHARING, SHARING
from selftest.checks.expectations import failed
from selftest.checks.faults.setup import NoClaimsBeforeFault, downstream_and_variant
from selftest.checks.instances.sign_ins import (
    SignInTally,
    instances_of,
    known_users,
    met_by_each_instance,
    signed_in,
)
from selftest.checks.registry import INSTANCES, SHARED_CACHE, CheckOutcome, check
from selftest.downstream.faults import FAULTS

#: How long the API is down in addition to the restarts.
OUTAGE_S: Final = 5.0
_TIMEOUT_S: Final = 180.0
_NONE_LOST: Final = "no sign-in of a known user is lost"


async def play_outage(env: CheckEnvironment, users: Sequence[str]) -> SignInTally:
    """Let known users sign in all the time while the API is down, one instance is killed and each is restarted."""
    instances, (downstream, _) = instances_of(env), downstream_and_variant(env)
    tally, over = SignInTally(), asyncio.Event()

    async def sign_in_until_over() -> None:
        while not over.is_set():
            await signed_in(env, users, tally)

    with downstream.playing(FAULTS["unavailable"]):
        async with asyncio.TaskGroup() as group:
            group.create_task(sign_in_until_over())
            try:
                await instances.replace(1, signal.SIGKILL)
                await env.sleep(OUTAGE_S)
                for number in range(1, instances.count + 1):
                    await instances.replace(number, signal.SIGTERM)
            finally:
                over.set()
        await signed_in(env, users, tally)
    return tally


@check("I01", needs=SHARED_CACHE, variant=SHARING, timeout_s=_TIMEOUT_S, outage_s=f"{OUTAGE_S:.0f}")
async def keeps_known_users(env: CheckEnvironment) -> CheckOutcome:
    """Count the sign-ins that an outage costs with the shared cache."""
    try:
        users = await known_users(env)
    except NoClaimsBeforeFault as error:
        return failed(error.response, _NONE_LOST, str(error))
    tally = await play_outage(env, users)
    status = "fail" if tally.lost else "pass"
    return CheckOutcome(status=status, expected=_NONE_LOST, actual=str(tally))
